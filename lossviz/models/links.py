"""Links: what stands between a model's raw output and the prediction that a loss takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Link:
    """One link: `forward(z, out)` writes the prediction; `backward(delta, prediction)` returns d/dz.

    `backward` may change `delta`, which is the derivative with respect to the prediction. `function(z)` is
    torch's own, which autograd can differentiate.
    """

    key: str
    formula: str
    slope: str
    function: Callable[[Tensor], Tensor]
    forward: Callable[[Tensor, Tensor], object]
    backward: Callable[[Tensor, Tensor], Tensor]


def _identity(z: Tensor, out: Tensor) -> None:
    out.copy_(z)


def _identity_backward(delta: Tensor, prediction: Tensor) -> Tensor:
    return delta


def _sigmoid(z: Tensor, out: Tensor) -> None:
    torch.sigmoid(z, out=out)


def _sigmoid_backward(delta: Tensor, prediction: Tensor) -> Tensor:
    delta.mul_(prediction)
    return torch.addcmul(delta, delta, prediction, value=-1.0)


def _tanh(z: Tensor, out: Tensor) -> None:
    torch.tanh(z, out=out)


def _tanh_backward(delta: Tensor, prediction: Tensor) -> Tensor:
    return delta.addcmul_(delta * prediction, prediction, value=-1.0)


def _softmax(z: Tensor, out: Tensor) -> None:
    torch.softmax(z, dim=-1, out=out)


def _softmax_backward(delta: Tensor, prediction: Tensor) -> Tensor:
    delta.mul_(prediction)
    return torch.addcmul(delta, prediction, delta.sum(dim=-1, keepdim=True), value=-1.0)


def _log_softmax(z: Tensor, out: Tensor) -> None:
    out.copy_(torch.log_softmax(z, dim=-1))


def _log_softmax_backward(delta: Tensor, prediction: Tensor) -> Tensor:
    return delta - prediction.exp() * delta.sum(dim=-1, keepdim=True)


LINKS: dict[str, Link] = {
    link.key: link
    for link in (
        Link("identity", "z", "1", lambda z: z, _identity, _identity_backward),
        Link("sigmoid", "1 / (1 + e⁻ᶻ)", "p (1 − p)", torch.sigmoid, _sigmoid, _sigmoid_backward),
        Link("tanh", "tanh(z)", "1 − p²", torch.tanh, _tanh, _tanh_backward),
        Link(
            "softmax",
            "eᶻ / Σ eᶻ",
            "pᵢ ([i = j] − pⱼ)",
            lambda z: torch.softmax(z, dim=-1),
            _softmax,
            _softmax_backward,
        ),
        Link(
            "log_softmax",
            "z − ln Σ eᶻ",
            "[i = j] − pⱼ",
            lambda z: torch.log_softmax(z, dim=-1),
            _log_softmax,
            _log_softmax_backward,
        ),
    )
}
