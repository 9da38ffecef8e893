"""The section of the Landscape page on one weight and one bias: surface, race and curvature."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from lossviz import losses, optimizers
from lossviz.figures import Track, contour_figure, perspective_figure
from lossviz.landscape import (
    OUTCOMES,
    Curvature,
    Minimum,
    Path,
    Surface,
    curvature,
    gradients,
    lowest_point,
    race,
    square,
    standings,
    surface,
    training_losses,
)
from lossviz.training import init
from lossviz.writing import format_number
from pages.ui import landscape_controls as controls
from pages.ui.card import dark
from pages.ui.landscape_state import LandscapeState, linear_config
from pages.ui.landscape_view import picture
from pages.ui.state import remember
from pages.ui.tables import show_table

NAMES = ("weight w", "bias b")
SIZE = 61
ARROWS = 10  # along each axis
KEPT = 200  # results of recent settings, for all visitors together
FLAT = 0.01  # share of the steepest slope below which a place counts as flat
BOWLS = ("bce_with_logits", "bce", "soft_margin")  # logistic regression, where there is one weight and one bias
SHELVES = ("brier", "mse")
SLOW = 0.9  # share of the distance that a step leaves, above which the way is long
LEVEL = (
    "This loss is made of level steps: its slope is 0 nearly everywhere, so it tells no optimizer where to go. It can "
    "judge a model, but not train one."
)
Ends = tuple[float, float]


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _minimum(data: str, loss: str, parameters: tuple[tuple[str, Any], ...]) -> Minimum | None:
    state = init(linear_config(data, loss, parameters))
    return lowest_point(state, *square(state))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _terrain(
    data: str, loss: str, parameters: tuple[tuple[str, Any], ...], inside: tuple[Ends, ...]
) -> tuple[Surface, np.ndarray, np.ndarray]:
    """The surface over a square that holds the given points, and the places and slopes of arrows on it."""
    state = init(linear_config(data, loss, parameters))
    weights, biases = square(state, inside)
    # Each arrow in the middle of its cell.
    share = (np.arange(ARROWS) + 0.5) / ARROWS
    axes = [low + share * (high - low) for low, high in (weights, biases)]
    places = np.stack([part.ravel() for part in np.meshgrid(*axes)], axis=1)
    return surface(state, weights, biases, SIZE), places, gradients(state, places)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _slope(data: str, loss: str, parameters: tuple[tuple[str, Any], ...], place: Ends) -> np.ndarray:
    return gradients(init(linear_config(data, loss, parameters)), [place])


@st.cache_data(max_entries=KEPT, show_spinner="The optimizers are running …")
def _race(
    data: str,
    loss: str,
    parameters: tuple[tuple[str, Any], ...],
    racers: tuple[str, ...],
    rate: float,
    steps: int,
    start: Ends,
) -> tuple[Path, ...]:
    return race(linear_config(data, loss, parameters), start, dict.fromkeys(racers, rate), steps)


def linear_section(now: LandscapeState) -> None:
    """Everything below the choice of the section."""
    controls.setting()
    chosen = now.data, now.loss, now.parameters
    minimum = _minimum(*chosen)
    begin = now.begin
    inside = (begin,) if minimum is None else (begin, minimum.point)
    ground, places, slopes = _terrain(*chosen, inside)
    side = float(ground.first[-1] - ground.first[0])
    remember("landscape.side", side)
    paths = _race(*chosen, now.racers, now.rate, now.steps, begin) if now.racers else ()
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        controls.view(arrows=True)
        _picture(now, ground, (places, slopes), paths, minimum)
        st.caption(_explained(now))
        controls.start_fields()
    with right:
        if now.config.task == "binary":
            _two_classes(now, slopes, chosen)
        st.header("How the surface bends")
        _bends(now, minimum, bool(slopes.any()))
    st.header("The race")
    _results(paths, minimum)


def _picture(
    now: LandscapeState,
    ground: Surface,
    slopes: tuple[np.ndarray, np.ndarray],
    paths: tuple[Path, ...],
    minimum: Minimum | None,
) -> None:
    # Those that race unless the learner chooses others get the colours that are told apart most easily.
    keys = sorted(optimizers.keys(), key=lambda key: key not in LandscapeState.racers)
    tracks = [
        Track(optimizers.get(path.optimizer).title, path.points, path.losses, keys.index(path.optimizer))
        for path in paths
    ]
    marks: dict[str, tuple[float, float, float]] = {}
    if minimum is not None:
        marks["A lowest point" if minimum.flat else "Minimum"] = (*minimum.point, minimum.loss)
    marks["Start"] = (*now.begin, float(training_losses(init(now.config), [now.begin])[0]))
    shared: dict[str, Any] = {"names": NAMES, "log": now.log, "dark": dark()}
    title = losses.get(now.loss).title
    if now.view == "contour":
        figure = contour_figure(ground, tracks, marks, slopes=slopes if now.arrows else None, **shared)
        alt = f"Map of the {title} loss over weight and bias, with the paths of the optimizers."
    else:
        figure = perspective_figure(ground, tracks, marks, **shared)
        alt = f"The {title} loss as a surface over weight and bias, with the paths of the optimizers."
    picture(
        figure,
        key=controls.PICTURE,
        alt=f"{alt} The table holds the results in numbers.",
        race=repr((now.data, now.loss, now.parameters, now.rate, now.steps, now.begin)),
        clicked=controls.take_click,
    )


def _explained(now: LandscapeState) -> str:
    if now.view == "surface":
        return "Drag the picture or use its buttons to turn it. Choose From above to move the start by a click."
    arrows = "Arrows point downhill, at right angles to the contour lines; longer is steeper. " if now.arrows else ""
    return f"{arrows}Click anywhere on the map to start the race there, or type the place below."


def _results(paths: tuple[Path, ...], minimum: Minimum | None) -> None:
    if not paths:
        st.markdown("Choose optimizers above to let them race.")
        return
    rows = [
        (
            optimizers.get(item.optimizer).title,
            format_number(item.loss) if math.isfinite(item.loss) else "overflow",
            "–" if item.distance is None else format_number(item.distance),
            "–" if item.steps is None else f"{item.steps:,}",
            OUTCOMES[item.outcome],
        )
        for item in standings(paths, minimum)
    ]
    head = ("Optimizer", "Loss at the end", "Distance", "Close at step", "What became of it")
    show_table((head, rows), "Results of the race")
    if minimum is None:
        st.caption("The loss has no minimum near here, so nobody can come close to it.")
        return
    lowest = "Many points are equally low, so no distance is given. " if minimum.flat else ""
    where = "" if minimum.flat else "Distance: from the end to the minimum. "
    st.caption(
        f"{lowest}{where}Close: less than 1 % of the loss between the start and the minimum, "
        f"{format_number(minimum.loss)}, is left, from that step on."
    )


# Curvature


def _two_classes(now: LandscapeState, slopes: np.ndarray, chosen: tuple[Any, ...]) -> None:
    """What weight and bias are, and how hard the start is pulled, compared with other places."""
    data = now.config.data
    st.header("Two classes, one border")
    said = f"{data.description} Weight and bias turn the {data.feature_names[0]}, standardised, into a score. "
    steepest, here = (float(np.linalg.norm(found, axis=1).max()) for found in (slopes, _slope(*chosen, now.begin)))
    if steepest > 0 and math.isfinite(steepest):
        of_it = 100 * here / steepest
        percent = f"{of_it:.0f}" if of_it >= 10 else f"{of_it:.2g}"
        share = f"{percent} % of the steepest one that an arrow shows"
        said += f"At the start of the race the slope is {format_number(here)}, {share}."
    st.markdown(said)
    if now.loss in BOWLS:
        st.markdown(
            "This is logistic regression. Cross-entropy is one bowl: from everywhere the way leads down to the one "
            "minimum, and a model that is wrong with certainty is pulled hardest."
        )
        title, other = "Show the squared error after a sigmoid", "brier"
    elif now.loss in SHELVES:
        st.markdown(
            "A squared error of a probability has shelves: a model that is wrong with certainty stands on one, where "
            "hardly any slope is left to lead it down. That is why classifiers are trained with cross-entropy."
        )
        title, other = "Show cross-entropy", "bce_with_logits"
    else:
        return
    st.button(title, on_click=controls.change, kwargs={"loss": other, "parameters": ()}, key="landscape.other")


def _bends(now: LandscapeState, minimum: Minimum | None, slopes: bool) -> None:
    if minimum is None:
        where = "at the start, as there is no minimum near here"
        try:
            bend = curvature(init(now.config), now.begin)
        except ValueError:
            st.markdown("The loss overflows at the start, so there is nothing to say about how it bends there.")
            return
    else:
        w, b = (format_number(value) for value in minimum.point)
        where = f"at the {'lowest point found' if minimum.flat else 'minimum'}, w\u00a0=\u00a0{w}, b\u00a0=\u00a0{b}"
        bend = minimum.curvature
    if bend.largest_stable_step is None:
        st.markdown(_straight(minimum) if slopes else LEVEL)
        return
    numbers = {
        "Largest eigenvalue": _six(float(bend.eigenvalues[1])),
        "Smallest eigenvalue": _six(float(bend.eigenvalues[0])),
        "Condition number": "none" if bend.condition is None else format_number(bend.condition),
        "Largest stable step": _six(bend.largest_stable_step),
    }
    show_table((("Of the Hessian", "Number"), list(numbers.items())), "Curvature")
    st.caption(f"The Hessian is the matrix of second derivatives; here {where}.")
    if minimum is not None and minimum.uneven:
        st.markdown(
            "Here the loss bends differently on different sides: these are the numbers of one side, and another side "
            "may allow smaller steps only."
        )
    st.markdown(_stable(now.rate, bend, minimum is not None))


def _six(value: float) -> str:
    return f"{value:.6f}".replace("-", "−") if 1e-3 <= abs(value) < 1e6 else format_number(value)


def _straight(minimum: Minimum | None) -> str:
    if minimum is None:
        return "Nothing bends upwards at the start, so no largest stable step follows from it."
    return (
        "This loss is made of straight pieces: between its edges it does not bend at all, and at an edge it has no "
        "second derivative. So there are no eigenvalues to show and no largest stable step. Near the minimum the slope "
        "does not fade out as in a bowl: with a fixed learning rate plain SGD ends up hopping to and fro, and only a "
        "smaller rate brings it closer."
    )


def _stable(rate: float, bend: Curvature, at_minimum: bool) -> str:
    limit = bend.largest_stable_step
    assert limit is not None
    share = rate / limit
    percent = f"{100 * share:.0f}" if share >= 0.1 else format_number(float(f"{100 * share:.2g}"))
    compared = f"{percent} % of that" if share < 2 else f"{format_number(round(share, 1))} times that"
    said = f"The largest stable step is 2 / λmax, with λmax the largest eigenvalue. Yours, {rate:g}, is {compared}. "
    if share > 1:
        said += "With plain SGD every step leads further from the minimum along the steepest direction. "
    elif at_minimum and bend.condition is not None:
        steep, flat = (abs(1.0 - rate * float(value)) for value in bend.eigenvalues[::-1])
        said += (
            f"Near the minimum a step of plain SGD leaves {100 * steep:.1f} % of the distance along the steepest "
            f"direction and {100 * flat:.1f} % along the flattest: "
        )
        if bend.condition > 10:
            said += "so different that the way down is a narrow valley. "
        elif steep > SLOW:
            said += "nearly all of it, so with steps as small as these the way down is long. "
        else:
            said += "not far apart, so the way down is short. "
    return said + "Momentum 0.9 bears steps 1.9 times as large; RMSprop and Adam size their steps by themselves."
