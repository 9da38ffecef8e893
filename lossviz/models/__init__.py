"""Tiny models: networks with their chain rule, activations, and the links to a loss's prediction."""

from .activations import ACTIVATIONS, Activation
from .base import Model
from .links import LINKS, Link
from .network import INITIALISATIONS, Network, Workspace, with_ones
from .recurrent import CELLS, RecurrentNetwork

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "INITIALISATIONS",
    "LINKS",
    "Activation",
    "Link",
    "Model",
    "Network",
    "RecurrentNetwork",
    "Workspace",
    "with_ones",
]
