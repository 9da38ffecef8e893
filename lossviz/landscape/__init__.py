"""Loss landscapes: the exact surface of one weight and one bias, and planes through a network's parameters.

Example:
    >>> from lossviz.landscape import curvature, surface
    >>> from lossviz.training import CLASSIC, init
    >>> state = init(CLASSIC)
    >>> surface(state, (0, 4), (-2, 2), 41).lowest
    (2.0, 0.0, 0.0)
    >>> round(curvature(state, (2.0, 0.0)).largest_stable_step, 6)
    0.119756
"""

from lossviz.landscape.evaluate import Surface, training_losses
from lossviz.landscape.linear import MAX_UPDATES, Curvature, Path, curvature, gradients, race, surface
from lossviz.landscape.lowest import CLOSE, OUTCOMES, Minimum, Standing, lowest_point, square, standings
from lossviz.landscape.plane import Plane, frame, plane_surface, random_plane, trajectory_plane
from lossviz.landscape.trajectory import Trajectory, trajectory

__all__ = [
    "CLOSE",
    "MAX_UPDATES",
    "OUTCOMES",
    "Curvature",
    "Minimum",
    "Path",
    "Plane",
    "Standing",
    "Surface",
    "Trajectory",
    "curvature",
    "frame",
    "gradients",
    "lowest_point",
    "plane_surface",
    "race",
    "random_plane",
    "square",
    "standings",
    "surface",
    "training_losses",
    "trajectory",
    "trajectory_plane",
]
