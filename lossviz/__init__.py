"""lossviz: the maths of a loss laboratory.

>>> import lossviz
>>> lossviz.evaluate("bce", [0.8], [1]).value
0.2231435513142097
"""

from lossviz import losses
from lossviz.descent import Descent, descend
from lossviz.evaluation import Evaluation, evaluate
from lossviz.proof import Proof, prove
from lossviz.tables import Tables, tables

__all__ = ["Descent", "Evaluation", "Proof", "Tables", "descend", "evaluate", "losses", "prove", "tables"]
