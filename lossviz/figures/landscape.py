"""A loss surface from above and in perspective, with the paths that lead over it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lossviz.figures.theme import colours, style
from lossviz.landscape import Surface

Vector = NDArray[np.float64]

SYMBOLS: Final = ("circle", "square", "diamond", "cross", "x", "diamond-open", "square-open")
"""Signs of the ends of paths; flat and perspective pictures both have them."""
_DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
# One hue from light to dark, so that it reads without colours; pale enough for every line on it to keep 3:1.
_SCALES: Final = {
    False: ("#ffffff", "#f0f5fa", "#dfe9f2", "#cddcea", "#bbcee1"),
    True: ("#0b1016", "#131d28", "#1b2a3a", "#24384d", "#2d4660"),
}
# In perspective a white floor would vanish in the page.
_DEEP_SCALES: Final = {
    False: ("#e6eff7", "#d3e2ef", "#c0d5e7", "#acc8df", "#98b9d6"),
    True: ("#1d2f41", "#25394f", "#2d455e", "#35526e", "#3e5f80"),
}
_CONTOURS: Final = {False: "rgba(38, 70, 105, 0.38)", True: "rgba(168, 196, 226, 0.34)"}
_PATHS: Final = {
    False: ("#0072b2", "#b34700", "#00694d", "#a6408a", "#6b5400", "#b3261e", "#3b4552"),
    True: ("#56b4e9", "#f0943a", "#2fbf93", "#dd92c0", "#f0e442", "#ff9a90", "#c3ccd6"),
}
# A thin cross still shows beneath the ends of the paths that lead there.
_MARK: Final = {
    "Minimum": "cross-thin",
    "A lowest point": "cross-thin",
    "Start": "circle-open",
    "Trained weights": "star",
}
_DEEP_MARK: Final = {"cross-thin": "cross", "circle-open": "circle-open", "star": "diamond"}
_DEPTH: Final = 4.0  # powers of ten that a log scale shows below the highest loss
_LEVELS: Final = 18
_FAR: Final = 30.0  # widths of the picture beyond which a path is cut; browsers draw no further


@dataclass(frozen=True, eq=False)
class Track:
    """A path over a surface.

    Args:
        name: whose it is.
        points: its coordinates, shape (moments, 2).
        losses: the loss at each of them, shape (moments,).
        look: number of its colour, line style and sign.
        beneath: the loss of the surface at its points, for a path that does not lie on the surface but above or below.
    """

    name: str
    points: Vector
    losses: Vector
    look: int = 0
    beneath: Vector | None = None

    def colour(self, dark: bool) -> str:
        """The colour of its line."""
        return _PATHS[dark][self.look % len(SYMBOLS)]

    @property
    def dash(self) -> str:
        """The style of its line."""
        return _DASHES[self.look % len(SYMBOLS)]

    @property
    def symbol(self) -> str:
        """The sign at its end."""
        return SYMBOLS[self.look % len(SYMBOLS)]


class Scale:
    """How losses become heights and colours: as they are, or their logarithms.

    Args:
        surface: what is shown; losses that are not finite have no height.
        log: whether heights are powers of ten. Losses far below the highest, 0 among them, are then drawn at a floor.

    Example:
        >>> scale = Scale(Surface(np.array([0.0, 1.0]), np.array([0.0]), np.array([[0.0, 100.0]])), log=True)
        >>> scale.heights(np.array([0.0, 1.0, 100.0])).tolist()
        [-2.0, 0.0, 2.0]
    """

    def __init__(self, surface: Surface, log: bool) -> None:
        finite = surface.losses[np.isfinite(surface.losses)]
        self.low, self.high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        # Logarithms need losses above 0.
        self.log = log and self.high > 0.0
        self.floor = max(self.low, self.high * 10.0**-_DEPTH) if self.log else self.low

    def heights(self, losses: Any) -> Vector:
        """Return the heights of losses; not a number where a loss is not finite."""
        known = np.where(np.isfinite(losses), losses, np.nan)
        return np.log10(np.maximum(known, self.floor)) if self.log else known

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest height, apart even where the surface is level."""
        low, high = self.heights(np.array([self.floor, self.high]))
        return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return heights with the losses to write beside them."""
        low, high = self.ends
        if not self.log:
            step = _round_step((high - low) / 5.0)
            places = [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
            return places, [f"{place:.6g}".replace("-", "−") for place in places]
        digits = (1,) if high - low > 2.5 else (1, 3) if high - low > 1.0 else (1, 2, 3, 5, 7)
        values = [digit * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for digit in digits]
        values = [value for value in values if low <= math.log10(value) <= high]
        if len(values) < 2:
            values = np.geomspace(10.0**low, 10.0**high, 4).tolist()
        return [math.log10(value) for value in values], [f"{value:.3g}" for value in values]


def contour_figure(
    surface: Surface,
    tracks: Sequence[Track] = (),
    marks: Mapping[str, Sequence[float]] | None = None,
    *,
    names: tuple[str, str],
    slopes: tuple[Vector, Vector] | None = None,
    log: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Draw a surface from above, as a map with contour lines.

    Args:
        surface: The surface.
        tracks: Paths over it.
        marks: Places with a sign of their own: coordinates and loss by name.
        names: What the two axes are.
        slopes: Places, shape (arrows, 2), and the gradients there; an arrow at each points downhill.
        log: Whether colours and contour lines follow the logarithm of the loss.
        dark: Whether the page is dark.

    Returns:
        A figure with the traces "Loss", "Downhill" where there are slopes, each path by its name, its end (", end"
        added) and each mark by its name. The `meta` of a path's two traces hold its number, and of the line the losses.

    Example:
        >>> surface = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[0.0, 1.0], [1.0, 2.0]]))
        >>> [trace.name for trace in contour_figure(surface, names=("weight w", "bias b")).data]
        ['Loss']
    """
    scale = Scale(surface, log)
    low, high = scale.ends
    places, texts = scale.ticks()
    theme = colours(dark)
    figure = go.Figure(
        go.Contour(
            x=surface.first,
            y=surface.second,
            z=scale.heights(surface.losses),
            customdata=surface.losses,
            name="Loss",
            colorscale=_scale(_SCALES[dark]),
            zmin=low,
            zmax=high,
            contours={"start": low, "end": high, "size": (high - low) / _LEVELS, "coloring": "fill"},
            line={"width": 1, "color": _CONTOURS[dark], "smoothing": 0.6},
            colorbar={
                "title": {"text": "Loss", "side": "top", "font": {"size": 13}},
                "tickvals": places,
                "ticktext": texts,
                "thickness": 12,
                "outlinewidth": 1,
                "outlinecolor": theme.grid,
                "len": 1.0,
                "x": 1.02,
                "xpad": 0,
                "ypad": 0,
            },
            hovertemplate=_hover(names),
        )
    )
    ends = (surface.first[[0, -1]], surface.second[[0, -1]])
    if slopes is not None and len(slopes[0]):
        figure.add_trace(_arrows(*slopes, ends, dark))
    for index, track in enumerate(tracks):
        points = _cut(track.points, ends)
        look = {"color": track.colour(dark)}
        figure.add_trace(
            go.Scatter(
                x=points[:, 0].tolist(),
                y=points[:, 1].tolist(),
                name=track.name,
                mode="lines",
                line={**look, "dash": track.dash, "width": 2.5, "simplify": False},
                meta={"track": index, "part": "line", "losses": track.losses.tolist()},
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=points[-1:, 0].tolist(),
                y=points[-1:, 1].tolist(),
                name=f"{track.name}, end",
                mode="markers",
                marker={**look, "symbol": track.symbol, "size": 12, "line": {"color": theme.text, "width": 1}},
                meta={"track": index, "part": "head"},
                hovertemplate=f"{track.name}<extra></extra>",
            )
        )
    for name, (x, y, loss) in (marks or {}).items():
        sign = _MARK[name]
        figure.add_trace(
            go.Scatter(
                x=[x],
                y=[y],
                name=name,
                mode="markers",
                marker={
                    "symbol": sign,
                    "size": 28 if sign == "cross-thin" else 15,
                    "color": theme.text,
                    "line": {"width": {"star": 0, "circle-open": 3}.get(sign, 2), "color": theme.text},
                },
                customdata=[loss],
                hovertemplate=f"{name}<br>loss %{{customdata:.4~g}}<extra></extra>",
            )
        )
    style(figure, dark, height=520)
    figure.update_layout(showlegend=False, hovermode="closest", margin={"l": 62, "r": 76, "t": 26, "b": 54})
    for axis, name, (first, last) in (("xaxis", names[0], ends[0]), ("yaxis", names[1], ends[1])):
        figure.layout[axis].update(
            title={"text": name}, range=[float(first), float(last)], showgrid=False, zeroline=False, automargin=False
        )
    return figure


def perspective_figure(
    surface: Surface,
    tracks: Sequence[Track] = (),
    marks: Mapping[str, Sequence[float]] | None = None,
    *,
    names: tuple[str, str],
    log: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Draw a surface in perspective.

    Args:
        surface: The surface.
        tracks: Paths over it; where they leave the picture they are parted.
        marks: Places with a sign of their own: coordinates and loss by name.
        names: What the two axes are.
        log: Whether heights are the logarithm of the loss.
        dark: Whether the page is dark.

    Returns:
        A figure with the traces "Loss", each path by its name, its end (", end" added), and each mark by its name.

    Example:
        >>> surface = Surface(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([[0.0, 1.0], [1.0, 2.0]]))
        >>> [trace.type for trace in perspective_figure(surface, names=("weight w", "bias b")).data]
        ['surface']
    """
    scale = Scale(surface, log)
    low, high = scale.ends
    places, texts = scale.ticks()
    theme = colours(dark)
    ends = (surface.first[[0, -1]], surface.second[[0, -1]])
    lines = {"show": True, "color": theme.zero, "width": 2}
    figure = go.Figure(
        go.Surface(
            x=surface.first,
            y=surface.second,
            z=scale.heights(surface.losses),
            customdata=surface.losses,
            name="Loss",
            colorscale=_scale(_DEEP_SCALES[dark]),
            cmin=low,
            cmax=high,
            showscale=False,
            opacity=0.92,
            contours={"z": {**lines, "start": low, "end": high, "size": (high - low) / _LEVELS}},
            lighting={"ambient": 0.85, "diffuse": 0.25, "specular": 0.03, "roughness": 0.9},
            hovertemplate=_hover(names),
        )
    )
    lift = 0.012 * (high - low)
    for index, track in enumerate(tracks):
        on = track.losses if track.beneath is None else track.beneath
        places_of = _inside(track.points, on, ends, scale)
        look = {"color": track.colour(dark)}
        x, y, z = (places_of + np.array([0.0, 0.0, lift])).T.tolist()
        figure.add_trace(
            go.Scatter3d(
                x=x,
                y=y,
                z=z,
                name=track.name,
                mode="lines",
                line={**look, "width": 6},
                meta={"track": index, "part": "line", "losses": track.losses.tolist()},
                hoverinfo="skip",
            )
        )
        figure.add_trace(
            go.Scatter3d(
                x=x[-1:],
                y=y[-1:],
                z=z[-1:],
                name=f"{track.name}, end",
                mode="markers",
                marker={**look, "symbol": track.symbol, "size": 6, "line": {"color": theme.text, "width": 1}},
                meta={"track": index, "part": "head"},
                hovertemplate=f"{track.name}<extra></extra>",
            )
        )
    for name, (x0, y0, loss) in (marks or {}).items():
        figure.add_trace(
            go.Scatter3d(
                x=[x0],
                y=[y0],
                z=[float(scale.heights(np.array([loss]))[0]) + lift],
                name=name,
                mode="markers",
                marker={
                    "symbol": _DEEP_MARK[_MARK[name]],
                    "size": 6,
                    "color": theme.text,
                },
                customdata=[loss],
                hovertemplate=f"{name}<br>loss %{{customdata:.4~g}}<extra></extra>",
            )
        )
    style(figure, dark, height=520)
    axis = {
        "color": theme.text,
        "gridcolor": theme.grid,
        "zerolinecolor": theme.grid,
        "backgroundcolor": "rgba(0,0,0,0)",
        "showspikes": False,
        "tickfont": {"size": 12},
        "nticks": 6,
    }

    def titled(text: str) -> dict[str, Any]:
        return {**axis, "title": {"text": text, "font": {"size": 14}}}

    figure.update_layout(
        showlegend=False,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode="turntable",
        scene={
            "xaxis": {**titled(names[0]), "range": [float(end) for end in ends[0]]},
            "yaxis": {**titled(names[1]), "range": [float(end) for end in ends[1]]},
            "zaxis": {
                **titled("loss"),
                "range": [low, high + 4 * lift],
                "tickvals": places,
                "ticktext": texts,
            },
            "aspectmode": "manual",
            "aspectratio": {"x": 1.0, "y": 1.0, "z": 0.75},
            "camera": {"eye": {"x": -0.45, "y": -1.8, "z": 1.15}, "center": {"x": 0.0, "y": 0.0, "z": -0.14}},
        },
    )
    return figure


def _hover(names: tuple[str, str]) -> str:
    return f"{names[0]} %{{x:.3~f}}<br>{names[1]} %{{y:.3~f}}<br>loss %{{customdata:.4~g}}<extra></extra>"


def _scale(steps: Sequence[str]) -> list[list[Any]]:
    return [[index / (len(steps) - 1), colour] for index, colour in enumerate(steps)]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next((round_ * power for round_ in (1.0, 2.0, 5.0) if round_ * power >= step), 10.0 * power)


def _cut(points: Vector, ends: tuple[Vector, Vector]) -> Vector:
    """A path as far as a browser can draw it; what lies farther away is drawn at the edge of that."""
    result = points.copy()
    for column, (low, high) in enumerate(ends):
        room = _FAR * (high - low)
        result[:, column] = np.clip(points[:, column], low - room, high + room)
    return result


def _inside(points: Vector, losses: Vector, ends: tuple[Vector, Vector], scale: Scale) -> Vector:
    """Places with heights; those outside of the picture are not numbers, which parts the line."""
    heights = scale.heights(losses)
    (left, right), (near, far) = ends
    seen = (points[:, 0] >= left) & (points[:, 0] <= right) & (points[:, 1] >= near) & (points[:, 1] <= far)
    seen &= np.isfinite(heights) & (np.nan_to_num(heights, nan=np.inf) <= scale.ends[1])
    return np.where(seen[:, None], np.column_stack([points, heights]), np.nan)


def _arrows(places: Vector, gradients: Vector, ends: tuple[Vector, Vector], dark: bool) -> go.Scatter:
    """Arrows downhill: directions are exact, lengths grow with the logarithm of the steepness."""
    steepness = np.linalg.norm(gradients, axis=1)
    known = np.isfinite(steepness) & (steepness > 0.0)
    places, gradients, steepness = places[known], gradients[known], steepness[known]
    logs = np.log(steepness)
    spread = float(np.ptp(logs)) if logs.size else 0.0
    share = (logs - logs.min()) / spread if spread > 0.0 else np.ones_like(logs)
    cell = float(ends[0][1] - ends[0][0]) / max(1.0, math.sqrt(len(known)))
    along = -gradients / steepness[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    length = (cell * (0.3 + 0.5 * share))[:, None]
    tail, tip = places - 0.5 * length * along, places + 0.5 * length * along
    barb = 0.17 * cell
    left, right = tip - barb * along + 0.6 * barb * across, tip - barb * along - 0.6 * barb * across
    gap = np.full_like(tail, np.nan)
    points = np.stack([tail, tip, left, tip, right, gap], axis=1).reshape(-1, 2)
    return go.Scatter(
        x=points[:, 0],
        y=points[:, 1],
        name="Downhill",
        mode="lines",
        line={"color": "rgba(13, 23, 34, 0.5)" if not dark else "rgba(232, 238, 245, 0.5)", "width": 1.4},
        hoverinfo="skip",
    )
