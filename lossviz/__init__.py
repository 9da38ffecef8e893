"""lossviz: the maths of a loss laboratory.

>>> import lossviz
>>> lossviz.evaluate("bce", [0.8], [1]).value
0.2231435513142097
"""

from lossviz import losses
from lossviz.evaluation import Evaluation, evaluate
from lossviz.tables import Tables, tables

__all__ = ["Evaluation", "Tables", "evaluate", "losses", "tables"]
