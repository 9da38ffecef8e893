"""Tiny models: networks with their chain rule, activations, and the links to a loss's prediction."""

from .activations import ACTIVATIONS, Activation
from .links import LINKS, Link
from .network import INITIALISATIONS, Network, Workspace, with_ones

__all__ = ["ACTIVATIONS", "INITIALISATIONS", "LINKS", "Activation", "Link", "Network", "Workspace", "with_ones"]
