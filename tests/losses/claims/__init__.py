"""Numbers in the losses' texts that the board beside the text does not show, each worked out here.

A module a family; each has `CLAIMS`.
"""

import importlib
import pkgutil

from tests.losses.claims.tools import Claim

CLAIMS: list[Claim] = [
    claim
    for found in pkgutil.iter_modules(__path__)
    if found.name != "tools"
    for claim in importlib.import_module(f"{__name__}.{found.name}").CLAIMS
]
