"""Intersection over union of boxes."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import Boxes
from lossviz.losses._boxes import BOX_ERRORS, BOX_INPUTS, BOX_KINKS, STRETCH, SWAP, iou_slope, pair
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    return 1 - pair(inputs).iou


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    return -iou_slope(pair(inputs))


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    boxes = pair(inputs)
    return {"intersection": boxes.intersection, "union": boxes.union, "iou": boxes.iou}


_P = [[1.0, 2.0, 5.0, 6.0], [0.0, 0.0, 2.0, 3.0], [2.0, 3.0, 7.0, 5.0]]
_Y = [[3.0, 3.0, 8.0, 8.0], [4.0, 1.0, 7.0, 2.5], [2.5, 2.0, 6.0, 6.0]]

LOSS = Loss(
    key="iou",
    title="IoU",
    task="detection",
    position=1,
    summary="One minus the area that two boxes share over the area that they cover together.",
    notice=(
        "The boxes share 9 of the 27 squares that they cover: the loss is 0.667. Drag the predicted box by its centre "
        "onto the true one: it falls to 0.2 and no further, because the true box is 5 wide and the predicted one 4. "
        "Now drag it away until the boxes no longer touch: the loss stays at 1 and every slope is 0, near or far."
    ),
    use_when=(
        "Boxes already overlap and are judged by their intersection over union; unlike an error of coordinates it "
        "treats small and large boxes alike."
    ),
    avoid_when=(
        "Predicted boxes may lie apart from the true ones, as at the start of training: there it teaches nothing."
    ),
    aliases=("IoU loss", "intersection over union", "Jaccard index of boxes"),
    inputs=BOX_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(r"1 - \frac{I_i}{U_i},\quad I_i = |\hat B_i \cap B_i|,\quad U_i = |\hat B_i| + |B_i| - I_i"),
    gradient_formula=(
        r"\frac{I_i\, \nabla U_i - U_i\, \nabla I_i}{U_i^2},\quad \nabla U_i = \nabla |\hat B_i| - \nabla I_i"
    ),
    worked=("1 − {intersection} / {union}",),
    board=Boxes(prediction=((2.0, 2.0, 6.0, 6.0),), target=((3.0, 3.0, 8.0, 7.0),)),
    code=Code(
        torch=(
            "low = torch.maximum(prediction[:, :2], target[:, :2])\n"
            "high = torch.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = (high - low).relu().prod(1)\n"
            "areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (prediction, target)]\n"
            "terms = 1 - intersection / (areas[0] + areas[1] - intersection)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            'pairs = keras.utils.bounding_boxes.compute_iou(prediction, target, "xyxy")\n'
            "loss = keras.ops.{reduction}(1 - keras.ops.diagonal(pairs))"
        ),
        keras_note=(
            "Keras computes the overlap of every predicted with every true box; the diagonal holds the pairs that "
            "belong together. It adds 1e-7 to the union."
        ),
    ),
    minimiser=(
        "No closed form: for one true box the box itself. Of several true boxes that do not overlap, each one is as "
        "good as the others."
    ),
    pitfalls=(
        Pitfall(
            "Boxes that do not overlap cost 1, near or far, and the slope of all four sides is 0: gradient descent "
            "does not move. GIoU and DIoU were made for this.",
            state={"prediction": ((0.4, 0.4, 2.0, 2.0),)},
        ),
        Pitfall(
            "Four coordinates x1, y1, x2, y2 are meant, not centre, width and height. Read as corners, a box with "
            "centre (6, 6), width 8 and height 8 is (6, 6, 8, 8): it costs 0.909 against the true box, although the "
            "real one, (2, 2, 10, 10), would cost 0.688.",
            state={"prediction": ((6.0, 6.0, 8.0, 8.0),)},
        ),
        Pitfall(
            "Two formulas go by the name: UnitBox, the first detector trained with it, takes minus the logarithm of "
            "the IoU. The starting example, 0.667 here, would then be 1.099, and boxes apart would cost infinitely "
            "much.",
        ),
        Pitfall(
            "A perfect box is a corner of the loss, not a smooth valley: growing or shrinking one side costs at once. "
            "The slope shown there is 0, the mean of those on either side, and with a fixed learning rate "
            "descent jumps to and fro around it.",
            state={"prediction": ((3.0, 3.0, 8.0, 7.0),)},
        ),
    ),
    relatives=(
        Relative("giou", "adds the empty part of the enclosing box, so that boxes apart attract each other"),
        Relative("diou", "adds the distance of the centres"),
        Relative("ciou", "adds the distance of the centres and the shape"),
        Relative("jaccard", "the same idea for masks"),
    ),
    suits=(
        Suit(
            predicts="box",
            reason="It is one minus the number that detections are judged by, and does not care how large boxes are.",
            wants=("best_value",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Rezatofighi et al. (2019): Generalized Intersection over Union: A Metric and A Loss for Bounding Box "
        "Regression, arXiv:1902.09630",
        "Yu et al. (2016): UnitBox: An Advanced Object Detection Network, arXiv:1608.01471",
        "https://keras.io/api/utils/bounding_boxes/",
    ),
    goldens=(
        Golden("mpmath 1.3.0, algorithm 2 of Rezatofighi (2019)", _P, _Y, 0.80560224089635854),
        Golden("mpmath 1.3.0, algorithm 2 of Rezatofighi (2019)", _P, _Y, 2.4168067226890756, "sum"),
    ),
    errors=BOX_ERRORS,
    kinks=BOX_KINKS,
    derived=_derived,
    derived_labels={"intersection": "Intersection", "union": "Union", "iou": "Intersection over union"},
    invariances=(STRETCH, SWAP),
)
