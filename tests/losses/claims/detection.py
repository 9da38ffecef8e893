"""Numbers in the texts of losses on boxes."""

import numpy as np

from tests.losses.claims.tools import Claim, placed, start

CORNERS = {"prediction": [[0.0, 0.0, 2.0, 2.0]], "target": [[8.0, 8.0, 10.0, 10.0]]}
APART = {"prediction": [[1.0, 1.0, 3.0, 3.0]], "target": [[6.0, 6.0, 8.0, 8.0]]}
SHAPES_APART = {"prediction": [[0.4, 1.0, 4.4, 3.0]], "target": [[6.0, 5.0, 8.0, 9.0]]}

CLAIMS: list[Claim] = [
    ("iou", "it falls to 0.2", lambda: placed("iou", "value", 0, {"prediction": [[3.5, 3.0, 7.5, 7.0]]})),
    ("iou", "would cost 0.688", lambda: placed("iou", "value", 0, {"prediction": [[2.0, 2.0, 10.0, 10.0]]})),
    ("iou", "would then be 1.099", lambda: -np.log(start("iou", "iou"))),
    ("giou", "= 1.719", lambda: 1 + 46 / 64),
    ("giou", "far corner: 1.778", lambda: placed("giou", "value", 0, {"prediction": [[0.0, 0.0, 3.0, 2.0]]})),
    ("giou", "the slope of y2, −0.047", lambda: start("giou", "gradient.prediction", 3)),
    ("giou", "the slope of y1, 0.012", lambda: start("giou", "gradient.prediction", 1)),
    ("diou", "to 0.84", lambda: placed("diou", "value", 0, {"prediction": [[3.8, 3.8, 6.2, 6.2]]})),
    ("diou", "IoU loss says 1", lambda: placed("iou", "value", 0, CORNERS)),
    ("diou", "and GIoU 1.92", lambda: placed("giou", "value", 0, CORNERS)),
    ("diou", "x1 has the slope 0.022", lambda: placed("diou", "gradient.prediction", 0, APART)),
    ("ciou", "IoU loss 0.667", lambda: 1 - start("ciou", "iou")),
    ("ciou", "adds 0.034", lambda: start("ciou", "weight") * start("ciou", "shape")),
    (
        "ciou",
        "adds only 0.024",
        lambda: placed("ciou", "value", 0, SHAPES_APART) - placed("diou", "value", 0, SHAPES_APART),
    ),
]
