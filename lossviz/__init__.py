"""lossviz: the maths of a loss laboratory.

>>> import lossviz
>>> lossviz.evaluate("bce", [0.8], [1]).value
0.2231435513142097
"""

from lossviz import losses
from lossviz.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate", "losses"]
