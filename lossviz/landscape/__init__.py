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
from lossviz.landscape.plane import Plane, frame, plane_surface, random_plane, trajectory_plane

__all__ = [
    "MAX_UPDATES",
    "Curvature",
    "Path",
    "Plane",
    "Surface",
    "curvature",
    "frame",
    "gradients",
    "plane_surface",
    "race",
    "random_plane",
    "surface",
    "training_losses",
    "trajectory_plane",
]
