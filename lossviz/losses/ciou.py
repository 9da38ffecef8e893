"""Complete intersection over union of boxes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lossviz.boards import Boxes
from lossviz.losses._boxes import (
    BOX_ERRORS,
    BOX_INPUTS,
    BOX_KINKS,
    CENTRE_LABELS,
    SCALE,
    SWAP,
    Pair,
    centre_numbers,
    distance_slope,
    iou_slope,
    pair,
    positive,
)
from lossviz.losses.base import MEAN, SUM, Code, Golden, Inputs, Loss, Params, Pitfall, Relative, Suit


def _turn(boxes: Pair) -> Tensor:
    """Difference of the angles of both diagonals, target less prediction, (..., n)."""
    size, target = boxes.high - boxes.low, boxes.target_high - boxes.target_low
    return torch.atan2(target[..., 0], target[..., 1]) - torch.atan2(size[..., 0], size[..., 1])


def _shape(boxes: Pair) -> Tensor:
    return 4 / math.pi**2 * _turn(boxes).square()


def _frozen(inputs: Inputs, _: Params) -> dict[str, Tensor]:
    boxes = pair(inputs)
    shape = _shape(boxes)
    # At a perfect match both parts are 0 and so is the weight.
    total = 1 - boxes.iou + shape
    return {"alpha": torch.where(shape > 0, shape / torch.where(shape > 0, total, 1.0), 0.0)}


def _terms(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    return 1 - boxes.iou + boxes.distance2 / boxes.diagonal2 + inputs["alpha"] * _shape(boxes)


def _derivative(inputs: Inputs, _: Params) -> Tensor:
    boxes = pair(inputs)
    width, height = (boxes.high - boxes.low).unbind(-1)
    pull = 8 / math.pi**2 * _turn(boxes) / positive(width.square() + height.square())
    sides = torch.stack([height * pull, -width * pull], -1)
    shape = inputs["alpha"][..., None] * torch.cat([sides, -sides], -1)
    return distance_slope(boxes) - iou_slope(boxes) + shape


def _derived(inputs: Inputs, params: Params) -> dict[str, Tensor]:
    return {**centre_numbers(inputs, params), "shape": _shape(pair(inputs)), "weight": inputs["alpha"]}


_P = [[1.0, 2.0, 5.0, 6.0], [0.0, 0.0, 2.0, 3.0], [2.0, 3.0, 7.0, 5.0]]
_Y = [[3.0, 3.0, 8.0, 8.0], [4.0, 1.0, 7.0, 2.5], [2.5, 2.0, 6.0, 6.0]]

LOSS = Loss(
    key="ciou",
    title="CIoU",
    task="detection",
    position=4,
    summary="IoU loss plus the distance of the centres plus the difference of the boxes' proportions.",
    notice=(
        "Both boxes have the same centre and the same size, but one lies and one stands: IoU loss 0.667, distance 0, "
        "and the difference of the shapes, 0.168, with the weight 0.201, adds 0.034. Pull two sides until "
        "the proportions agree, and that part is gone, even while the sizes still differ."
    ),
    use_when="Boxes are regressed for detection, as in YOLO: overlap, place and proportions all have a part.",
    avoid_when=(
        "You need a simple loss to reason about: the weight alpha changes with the boxes, and proportions may be equal "
        "while width and height are both wrong."
    ),
    aliases=("CIoU loss", "complete IoU", "complete intersection over union"),
    inputs=BOX_INPUTS,
    parameters=(),
    reductions=(MEAN, SUM),
    terms=_terms,
    derivative=_derivative,
    formula=(
        r"1 - \frac{I_i}{U_i} + \frac{\rho_i^2}{c_i^2} + \alpha_i v_i,\quad "
        r"v_i = \frac{4}{\pi^2} \left(\arctan \frac{w_i}{h_i} - \arctan \frac{\hat w_i}{\hat h_i}\right)^2,\quad "
        r"\alpha_i = \frac{v_i}{1 - I_i/U_i + v_i}"
    ),
    gradient_formula=(
        r"\nabla \ell_i^{\text{DIoU}} + \alpha_i \nabla v_i,\quad "
        r"\frac{\partial v_i}{\partial \hat w_i} = -\frac{8}{\pi^2} \left(\arctan \frac{w_i}{h_i} - \arctan "
        r"\frac{\hat w_i}{\hat h_i}\right) \frac{\hat h_i}{\hat w_i^2 + \hat h_i^2},\quad "
        r"\frac{\partial v_i}{\partial \hat h_i} = -\frac{\hat w_i}{\hat h_i} \frac{\partial v_i}{\partial \hat w_i}"
    ),
    worked=("1 − {iou} + ({distance})² / ({diagonal})² + {weight} · {shape}",),
    board=Boxes(prediction=((3.0, 4.0, 7.0, 6.0),), target=((4.0, 3.0, 6.0, 7.0),)),
    code=Code(
        torch=(
            "low = torch.maximum(prediction[:, :2], target[:, :2])\n"
            "high = torch.minimum(prediction[:, 2:], target[:, 2:])\n"
            "intersection = (high - low).relu().prod(1)\n"
            "sizes = [box[:, 2:] - box[:, :2] for box in (prediction, target)]\n"
            "iou = intersection / (sizes[0].prod(1) + sizes[1].prod(1) - intersection)\n"
            "outer_low = torch.minimum(prediction[:, :2], target[:, :2])\n"
            "outer_high = torch.maximum(prediction[:, 2:], target[:, 2:])\n"
            "centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (prediction, target)]\n"
            "distance = (centres[0] - centres[1]).square().sum(1)\n"
            "angles = [torch.atan(size[:, 0] / size[:, 1]) for size in sizes]\n"
            "shape = 4 / torch.pi**2 * (angles[1] - angles[0]) ** 2\n"
            "with torch.no_grad():  # the weight is held fixed\n"
            "    alpha = shape / (1 - iou + shape)\n"
            "    alpha[shape == 0] = 0  # a perfect box would give 0 / 0\n"
            "terms = 1 - iou + distance / (outer_high - outer_low).square().sum(1) + alpha * shape\n"
            "loss = terms.{reduction}()"
        ),
        keras=(
            'ciou = keras.utils.bounding_boxes.compute_ciou(target, prediction, "xyxy")\n'
            "loss = keras.ops.{reduction}(1 - ciou)"
        ),
        keras_note=(
            "Keras adds 1e-7 to heights, union and diagonal, and does not hold alpha fixed: the values agree, the "
            "gradients do not."
        ),
    ),
    minimiser="No closed form: for one true box the box itself.",
    pitfalls=(
        Pitfall(
            "Proportions are a ratio. A box of half the width and half the height has the right shape: that part is 0 "
            "and the whole loss, 0.75, comes from the overlap.",
            state={"prediction": ((4.5, 4.0, 5.5, 6.0),)},
        ),
        Pitfall(
            "The weight alpha is held fixed: no gradient flows through it, here as in torchvision. It depends on the "
            "boxes all the same: at the start it is 0.201, and with the same shapes and more overlap it would be "
            "larger. Code that lets the gradient through trains a different loss of the same value.",
        ),
        Pitfall(
            "Of boxes apart the shape counts little: here IoU is 0, the shapes differ by 0.168, and with the weight "
            "0.144 that adds only 0.024 to a loss of 1.403.",
            state={"prediction": ((0.4, 1.0, 4.4, 3.0),), "target": ((6.0, 5.0, 8.0, 9.0),)},
        ),
    ),
    relatives=(
        Relative("diou", "the same without the proportions"),
        Relative("iou", "the first part alone"),
        Relative("giou", "uses the empty area of the enclosing box instead"),
    ),
    suits=(
        Suit(
            predicts="box",
            reason="It looks at overlap, place and proportions, and is the usual choice of recent detectors.",
            wants=("best_value",),
            trouble=("vanishing",),
        ),
    ),
    properties=("non_convex", "bounded"),
    references=(
        "Zheng et al. (2020): Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression, "
        "arXiv:1911.08287",
        "https://pytorch.org/vision/stable/generated/torchvision.ops.complete_box_iou_loss.html",
        "https://keras.io/api/utils/bounding_boxes/",
    ),
    goldens=(
        Golden("mpmath 1.3.0, formulas (8) to (11) of Zheng (2020)", _P, _Y, 0.96375549685200378),
        Golden("mpmath 1.3.0, formulas (8) to (11) of Zheng (2020)", _P, _Y, 2.8912664905560113, "sum"),
    ),
    errors=BOX_ERRORS,
    kinks=BOX_KINKS,
    derived=_derived,
    derived_labels={**CENTRE_LABELS, "shape": "Difference of the shapes", "weight": "Its weight alpha"},
    frozen=_frozen,
    frozen_note="The weight alpha of the shape is held fixed: it is computed from the boxes, but has no gradient.",
    invariances=(SCALE, SWAP),
)
