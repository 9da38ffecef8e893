"""Generalized intersection over union of boxes."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import Boxes
from lossviz.losses._boxes import BOX_ERRORS, BOX_INPUTS, BOX_KINKS, STRETCH, SWAP, iou_slope, pair
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    return 1 - boxes.iou + (boxes.enclosing - boxes.union) / boxes.enclosing


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    union = boxes.slopes()[1]
    enclosing = boxes.outer_slope() * boxes.outer.flip(-1).repeat(*[1] * (boxes.outer.dim() - 1), 2)
    share = (boxes.union / boxes.enclosing)[..., None]
    filled = (union - share * enclosing) / boxes.enclosing[..., None]
    return -iou_slope(boxes) - filled


def _derived(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    boxes = pair(inputs)
    return {"intersection": boxes.intersection, "union": boxes.union, "enclosing": boxes.enclosing}


_P = [[1.0, 2.0, 5.0, 6.0], [0.0, 0.0, 2.0, 3.0], [2.0, 3.0, 7.0, 5.0]]
_Y = [[3.0, 3.0, 8.0, 8.0], [4.0, 1.0, 7.0, 2.5], [2.5, 2.0, 6.0, 6.0]]

LOSS = Loss(
    key="giou",
    title="GIoU",
    task="detection",
    position=2,
    summary="IoU loss plus the empty share of the smallest box around both, so that boxes apart still attract.",
    notice=(
        "The boxes do not touch, yet the slopes are not 0: of the enclosing box, 64 squares, the two fill only 18, so "
        "the loss is 1 + 46/64 = 1.719. Drag the predicted box towards the true one: the enclosing box shrinks and the "
        "loss falls, long before they touch. Push it into the far corner: 1.778. Only tiny boxes far apart come near 2."
    ),
    use_when="Boxes are judged by IoU and may start apart from their targets; it is the first repair of the IoU loss.",
    avoid_when=("Boxes often lie one inside the other: there it is the IoU loss again, and DIoU converges faster."),
    aliases=("GIoU loss", "generalized IoU", "generalised IoU", "generalized intersection over union"),
    inputs=BOX_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{I_i}{U_i} + \frac{C_i - U_i}{C_i},\quad "
        r"C_i = \text{area of the smallest box around } \hat B_i \text{ and } B_i"
    ),
    gradient_formula=(
        r"\frac{I_i\, \nabla U_i - U_i\, \nabla I_i}{U_i^2} + \frac{U_i\, \nabla C_i - C_i\, \nabla U_i}{C_i^2}"
    ),
    worked=("1 − {intersection} / {union} + ({enclosing} − {union}) / {enclosing}",),
    board=Boxes(prediction=((1.0, 1.0, 4.0, 3.0),), target=((6.0, 5.0, 9.0, 9.0),)),
    code=Code(
        torch=(
            "low = torch.maximum(prediction[:, :2], target[:, :2])\n"
            "high = torch.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = (high - low).relu().prod(1)\n"
            "areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (prediction, target)]\n"
            "union = areas[0] + areas[1] - intersection\n"
            "outer_low = torch.minimum(prediction[:, :2], target[:, :2])\n"
            "outer_high = torch.maximum(prediction[:, 2:], target[:, 2:])\n"
            "enclosing = (outer_high - outer_low).prod(1)\n"
            "terms = 1 - intersection / union + (enclosing - union) / enclosing\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "low = keras.ops.maximum(prediction[:, :2], target[:, :2])\n"
            "high = keras.ops.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = keras.ops.prod(keras.ops.relu(high - low), axis=1)\n"
            "areas = [keras.ops.prod(box[:, 2:] - box[:, :2], axis=1) for box in (prediction, target)]\n"
            "union = areas[0] + areas[1] - intersection\n"
            "outer_low = keras.ops.minimum(prediction[:, :2], target[:, :2])\n"
            "outer_high = keras.ops.maximum(prediction[:, 2:], target[:, 2:])\n"
            "enclosing = keras.ops.prod(outer_high - outer_low, axis=1)\n"
            "terms = 1 - intersection / union + (enclosing - union) / enclosing\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras 3 has IoU and CIoU of boxes among its utilities, but no GIoU.",
    ),
    minimiser=(
        "No closed form: for one true box the box itself. Over several true boxes it pays to cover the space between "
        "them."
    ),
    pitfalls=(
        Pitfall(
            "With one box inside the other the enclosing box is the larger one, nothing of it is empty and only the "
            "IoU loss is left: 0.75 here, wherever the predicted box lies inside. It can still grow, but nothing "
            "draws it to the middle.",
            state={"prediction": ((2.6, 2.6, 5.6, 5.6),), "target": ((2.0, 2.0, 8.0, 8.0),)},
        ),
        Pitfall(
            "It goes up to 2, not to 1, so its values are no IoU losses. These two small boxes in opposite corners "
            "cost 1.92, where the IoU loss says 1.",
            state={"prediction": ((0.0, 0.0, 2.0, 2.0),), "target": ((8.0, 8.0, 10.0, 10.0),)},
        ),
        Pitfall(
            "Boxes apart attract by growing rather than by moving. At the start the slope of y2, −0.047, draws that "
            "side towards the target, but the slope of y1, 0.012, draws the other side away from it: the predicted "
            "box stretches until it reaches the target, and shrinks only then. That takes many steps.",
        ),
    ),
    relatives=(
        Relative("iou", "the first part alone; blind to boxes apart"),
        Relative("diou", "draws the centres together directly and needs fewer steps"),
        Relative("ciou", "also compares the shapes"),
    ),
    suits=(
        Suit(
            predicts="box",
            reason="It has a slope also where the boxes do not overlap, and stays close to the IoU where they do.",
            trouble=("vanishing",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Rezatofighi et al. (2019): Generalized Intersection over Union: A Metric and A Loss for Bounding Box "
        "Regression, arXiv:1902.09630",
        "https://pytorch.org/vision/stable/generated/torchvision.ops.generalized_box_iou_loss.html",
    ),
    goldens=(
        Golden("mpmath 1.3.0, algorithm 2 of Rezatofighi (2019)", _P, _Y, 1.0778244631185808),
        Golden("mpmath 1.3.0, algorithm 2 of Rezatofighi (2019)", _P, _Y, 3.2334733893557423, "sum"),
    ),
    errors=BOX_ERRORS,
    kinks=BOX_KINKS,
    derived=_derived,
    derived_labels={"intersection": "Intersection", "union": "Union", "enclosing": "Area of the enclosing box"},
    invariances=(STRETCH, SWAP),
)
