"""Distance intersection over union of boxes."""

from __future__ import annotations

from torch import Tensor

from lossviz.boards import Boxes
from lossviz.losses._boxes import (
    BOX_ERRORS,
    BOX_INPUTS,
    BOX_KINKS,
    CENTRE_LABELS,
    SCALE,
    SWAP,
    centre_numbers,
    distance_slope,
    iou_slope,
    pair,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _terms(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    return 1 - boxes.iou + boxes.distance2 / boxes.diagonal2


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    return distance_slope(boxes) - iou_slope(boxes)


_P = [[1.0, 2.0, 5.0, 6.0], [0.0, 0.0, 2.0, 3.0], [2.0, 3.0, 7.0, 5.0]]
_Y = [[3.0, 3.0, 8.0, 8.0], [4.0, 1.0, 7.0, 2.5], [2.5, 2.0, 6.0, 6.0]]

LOSS = Loss(
    key="diou",
    title="DIoU",
    task="detection",
    position=3,
    summary="IoU loss plus the squared distance of the boxes' centres, relative to the box around both.",
    notice=(
        "The predicted box lies inside the true one, where IoU and GIoU do not care about its place. Drag it by its "
        "centre: the IoU stays at 0.16, but the loss falls from 0.88 to 0.84 in the very middle, because the centres "
        "meet. Drag it outside: distance over diagonal grows, and the slopes never vanish."
    ),
    use_when="Boxes may lie apart or inside one another and training should bring them together in few steps.",
    avoid_when="The boxes' proportions matter much; CIoU adds a part for them.",
    aliases=("DIoU loss", "distance IoU", "distance intersection over union"),
    inputs=BOX_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{I_i}{U_i} + \frac{\rho_i^2}{c_i^2},\quad \rho_i = \text{distance of the centres},\quad "
        r"c_i = \text{diagonal of the enclosing box}"
    ),
    gradient_formula=(
        r"\frac{I_i\, \nabla U_i - U_i\, \nabla I_i}{U_i^2} + \frac{c_i^2\, \nabla \rho_i^2 - \rho_i^2\, \nabla c_i^2}"
        r"{c_i^4}"
    ),
    worked=("1 − {iou} + ({distance})² / ({diagonal})²",),
    board=Boxes(prediction=((2.6, 2.6, 5.0, 5.0),), target=((2.0, 2.0, 8.0, 8.0),)),
    code=Code(
        torch=(
            "low = torch.maximum(prediction[:, :2], target[:, :2])\n"
            "high = torch.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = (high - low).relu().prod(1)\n"
            "areas = [(box[:, 2:] - box[:, :2]).prod(1) for box in (prediction, target)]\n"
            "iou = intersection / (areas[0] + areas[1] - intersection)\n"
            "outer_low = torch.minimum(prediction[:, :2], target[:, :2])\n"
            "outer_high = torch.maximum(prediction[:, 2:], target[:, 2:])\n"
            "centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (prediction, target)]\n"
            "distance = (centres[0] - centres[1]).square().sum(1)\n"
            "terms = 1 - iou + distance / (outer_high - outer_low).square().sum(1)\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            "low = keras.ops.maximum(prediction[:, :2], target[:, :2])\n"
            "high = keras.ops.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = keras.ops.prod(keras.ops.relu(high - low), axis=1)\n"
            "areas = [keras.ops.prod(box[:, 2:] - box[:, :2], axis=1) for box in (prediction, target)]\n"
            "iou = intersection / (areas[0] + areas[1] - intersection)\n"
            "outer_low = keras.ops.minimum(prediction[:, :2], target[:, :2])\n"
            "outer_high = keras.ops.maximum(prediction[:, 2:], target[:, 2:])\n"
            "centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (prediction, target)]\n"
            "distance = keras.ops.sum(keras.ops.square(centres[0] - centres[1]), axis=1)\n"
            "terms = 1 - iou + distance / keras.ops.sum(keras.ops.square(outer_high - outer_low), axis=1)\n"
            "loss = keras.ops.{reduction}(terms)"
        ),
        keras_note="Keras 3 has IoU and CIoU of boxes among its utilities, but no DIoU.",
    ),
    minimiser="No closed form: for one true box the box itself.",
    pitfalls=(
        Pitfall(
            "It does not see proportions. These boxes have the same centre, so only the IoU loss is left, 0.667: a "
            "lying box is as good as any other of the same overlap.",
            state={"prediction": ((3.0, 4.0, 7.0, 6.0),), "target": ((4.0, 3.0, 6.0, 7.0),)},
        ),
        Pitfall(
            "Its values are no IoU losses: it goes up to 2. These small boxes in opposite corners cost 1.64, where the "
            "IoU loss says 1 and GIoU 1.92.",
            state={"prediction": ((0.0, 0.0, 2.0, 2.0),), "target": ((8.0, 8.0, 10.0, 10.0),)},
        ),
        Pitfall(
            "The distance is measured against the enclosing box, which the prediction changes, too: of boxes apart it "
            "can fall by growing. Here the far side x1 has the slope 0.022, so descent moves it outwards.",
            state={"prediction": ((1.0, 1.0, 3.0, 3.0),), "target": ((6.0, 6.0, 8.0, 8.0),)},
        ),
    ),
    relatives=(
        Relative("iou", "the first part alone"),
        Relative("giou", "uses the empty area of the enclosing box instead of the distance"),
        Relative("ciou", "this loss plus a part for the proportions"),
    ),
    suits=(
        Suit(
            predicts="box",
            reason="It draws the centres together, also where the boxes lie apart or one inside the other.",
            trouble=("vanishing",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Zheng et al. (2020): Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression, "
        "arXiv:1911.08287",
        "https://pytorch.org/vision/stable/generated/torchvision.ops.distance_box_iou_loss.html",
    ),
    goldens=(
        Golden("mpmath 1.3.0, formula (7) of Zheng (2020)", _P, _Y, 0.95618221005811913),
        Golden("mpmath 1.3.0, formula (7) of Zheng (2020)", _P, _Y, 2.8685466301743574, "sum"),
    ),
    errors=BOX_ERRORS,
    kinks=BOX_KINKS,
    derived=centre_numbers,
    derived_labels=CENTRE_LABELS,
    invariances=(SCALE, SWAP),
)
