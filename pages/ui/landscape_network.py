"""The section of the Landscape page on a network: planes through its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
import torch

from lossviz.figures import Track, contour_figure, perspective_figure
from lossviz.landscape import (
    Plane,
    Surface,
    frame,
    plane_surface,
    random_plane,
    training_losses,
    trajectory,
    trajectory_plane,
)
from lossviz.training import RunState, init, preset
from lossviz.writing import format_number
from pages.ui import landscape_controls as controls
from pages.ui.card import dark
from pages.ui.landscape_state import LandscapeState
from pages.ui.landscape_view import picture
from pages.ui.tables import show_table

SIZE = 51
KEPT = 60  # results of recent settings, for all visitors together
Way = tuple[np.ndarray, tuple[int, ...], np.ndarray, bool]


@st.cache_data(max_entries=KEPT, show_spinner="Training the network …")
def _way(example: str, epochs: int) -> Way:
    """Parameters, epochs and losses of the moments of a run, and whether it overflowed."""
    found = trajectory(preset(example).config, epochs)
    return found.vectors, found.epochs, found.losses, found.overflowed


def _state(example: str, parameters: np.ndarray) -> RunState:
    state = init(preset(example).config)
    state.network.parameters.copy_(torch.from_numpy(parameters))
    return state


@st.cache_data(max_entries=KEPT, show_spinner="Working out the surface …")
def _random(example: str, epochs: int, seed: int) -> Surface:
    state = _state(example, _way(example, epochs)[0][-1])
    return plane_surface(state, random_plane(state, seed), (-1, 1), (-1, 1), SIZE)


@st.cache_data(max_entries=KEPT, show_spinner="Working out the surface …")
def _along(example: str, epochs: int) -> tuple[Plane, Surface, np.ndarray, np.ndarray]:
    """The plane of the path, its surface, the path's shadow on it, and the losses beneath the shadow."""
    vectors = _way(example, epochs)[0]
    state = _state(example, vectors[-1])
    plane = trajectory_plane(vectors)
    shadow = plane.project(vectors)
    ground = plane_surface(state, plane, *frame(shadow), SIZE)
    return plane, ground, shadow, training_losses(state, plane.points(shadow))


def network_section(now: LandscapeState) -> None:
    """Everything below the choice of the section."""
    controls.network()
    example, epochs = now.example, now.trained
    try:
        way = _way(example, epochs)
        shown = _random(example, epochs, now.seed) if now.plane == "random" else _along(example, epochs)
    except ValueError as error:
        # A model or a run of which there is no such picture; the message says why.
        st.warning(str(error), icon=":material/block:")
        return
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        controls.view(arrows=False)
        if isinstance(shown, Surface):
            _draw(now, shown, way, None)
        else:
            _draw(now, shown[1], way, shown)
        if now.view == "surface":
            st.caption("Drag the picture or use its buttons to turn it.")
    with right:
        st.header("What this is")
        _numbers(way, shown)
        if isinstance(shown, Surface):
            st.markdown(_random_text(way[0].shape[1]))
        else:
            assert shown[0].shares is not None
            st.markdown(_path_text(*shown[0].shares, len(way[0])))


def _draw(
    now: LandscapeState, ground: Surface, way: Way, along: tuple[Plane, Surface, np.ndarray, np.ndarray] | None
) -> None:
    _, moments, losses, _ = way
    tracks: list[Track] = []
    marks = {"Trained weights": (0.0, 0.0, float(losses[-1]))}
    names = ("first direction", "second direction")
    if along is not None:
        plane, _, shadow, beneath = along
        assert plane.shares is not None
        tracks = [Track("Training", shadow, losses, beneath=beneath)]
        marks = {"Start": (*shadow[0].tolist(), float(beneath[0])), **marks}
        names = (f"first direction, {_percent(plane.shares[0])}", f"second direction, {_percent(plane.shares[1])}")
    shared: dict[str, Any] = {"names": names, "log": now.log, "dark": dark()}
    draw = contour_figure if now.view == "contour" else perspective_figure
    kind = "the plane along which training moved most" if along else "two random directions around the trained weights"
    picture(
        draw(ground, tracks, marks, **shared),
        key=controls.PICTURE,
        alt=f"The training loss of the network over {kind}. The numbers and the text beside it say what it shows.",
        race=repr((now.example, now.trained, now.plane)),
        unit="Epoch",
        moments=moments,
    )


def _numbers(way: Way, shown: Any) -> None:
    vectors, epochs, losses, overflowed = way
    ground = shown if isinstance(shown, Surface) else shown[1]
    rows = [
        ("Weights and biases", f"{vectors.shape[1]:,}"),
        ("Training loss at the start", format_number(float(losses[0]))),
        (f"Training loss after epoch {epochs[-1]:,}", format_number(float(losses[-1]))),
        ("Lowest loss shown", format_number(ground.lowest[2])),
        ("Highest loss shown", format_number(float(ground.losses[np.isfinite(ground.losses)].max()))),
    ]
    if not isinstance(shown, Surface) and shown[0].shares is not None:
        rows.append(("Variance shown", _percent(sum(shown[0].shares))))
    show_table((("Of this picture", "Number"), rows), "The picture in numbers")
    if overflowed:
        st.caption(f"Training overflowed after epoch {epochs[-1]:,}; the picture is that of the last epoch before.")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _random_text(count: int) -> str:
    return (
        f"A cut through a space of {count:,} dimensions, along two random directions with the trained weights in the "
        "middle. Each direction is scaled unit by unit: 1 on an axis changes the weights of a unit by as much as they "
        "are long (filter normalisation, Li et al. 2018). Without that scaling, the same network with larger weights "
        "would look flatter.\n\n"
        "**It shows** how fast the loss rises around the trained weights, in these two directions. **It does not "
        f"show** the other {count - 2:,} directions, other minima or the way of the training. Another seed gives "
        "another cut; trust what all of them have in common."
    )


def _path_text(first: float, second: float, moments: int) -> str:
    return (
        f"The plane through the trained weights in which the {moments} recorded moments of the training spread most: "
        f"its two directions hold {_percent(first)} and {_percent(second)} of the variance of the path (principal "
        "components). The axes have different scales.\n\n"
        "**It shows** over which ground training moved. **It does not show** what happened in the other directions: "
        "the line is the shadow of the real path on this plane, so the loss beneath it may differ from the loss that "
        "the network had. A path through many dimensions almost always looks smooth in such a plane; that alone "
        "proves nothing."
    )
