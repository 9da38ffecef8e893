"""What is recorded and repeated with NumPy gives what torch gives, on other numbers too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from lossviz import losses
from lossviz.losses.base import Fit
from lossviz.models import LINKS
from lossviz.training.recorded import Recorded, Repeated, play

BATCHES, RACERS, ROWS, CLASSES = 3, 2, 40, 4
KEYS = losses.keys()
FITS = [(key, fit) for key in KEYS for fit in losses.get(key).fits]


def numbers(fit: Fit, dtype: torch.dtype, seed: int) -> tuple[Tensor, Tensor]:
    """Raw outputs, small, large, at 0 and where margins of ±1 end, and targets."""
    generator = torch.Generator().manual_seed(seed)
    outputs = CLASSES if fit.task == "multiclass" else 1
    raw = torch.randn(BATCHES, RACERS, ROWS, outputs, dtype=torch.float64, generator=generator) * 3
    raw[:, :, :10] = raw[:, :, :10].round()
    raw[:, :, 10:14] *= 30
    shape = (BATCHES, RACERS, ROWS)
    if fit.labels in ("index", "one_hot"):
        target = torch.randint(0, CLASSES, shape, generator=generator)
        return raw.to(dtype), torch.nn.functional.one_hot(target, CLASSES).to(
            dtype
        ) if fit.labels != "index" else target
    chosen = torch.randint(0, 2, shape, generator=generator)
    target = {
        "zero_one": chosen.double(),
        "plus_minus": 2.0 * chosen - 1,
        "value": torch.randn(shape, dtype=torch.float64, generator=generator),
    }[fit.labels]
    if fit.labels == "value":
        target[:, :, :5] = raw[:, :, :5, 0]
    return raw.to(dtype), target.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("key", "fit"), FITS, ids=[f"{key}, {fit.link}" for key, fit in FITS])
def test_every_loss_is_repeated_on_other_numbers(key: str, fit: Fit, dtype: torch.dtype) -> None:
    loss, link = losses.get(key), LINKS[fit.link]
    parameters = loss.check_parameters({})

    def inputs(raw: Tensor, target: Tensor) -> dict[str, Tensor]:
        prediction = link.function(raw)
        return {"prediction": prediction[..., 0] if raw.shape[-1] == 1 else prediction, "target": target}

    def slope(raw: Tensor, target: Tensor) -> Tensor:
        found = loss.derivative(inputs(raw, target), parameters)
        assert isinstance(found, Tensor)
        return link.backward((found[..., None] if found.dim() < 4 else found).clone(), link.function(raw))

    def terms(raw: Tensor, target: Tensor) -> Tensor:
        return loss.terms(inputs(raw, target), parameters)

    raw, target = numbers(fit, dtype, 1)
    new_raw, new_target = numbers(fit, dtype, 2)
    # Half of the racers have the loss, and the other half its double.
    functions = [slope, lambda raw, target: 2 * slope(raw, target)]
    both = Recorded(functions, [slice(0, 1), slice(1, 2)], raw, target, at_once=False)
    values = Recorded([terms], [slice(None)], raw, target, at_once=True)
    found = torch.zeros_like(raw)
    out = torch.zeros_like(terms(raw, target))
    with np.errstate(all="ignore"), torch.inference_mode():
        program = both.batch(0, [found[0, :1], found[0, 1:]])
        whole = values.whole([out])
        raw.copy_(new_raw)
        target.copy_(new_target)
        both.settle()
        values.settle()
        play([*program, *whole])
        expected = slope(new_raw, new_target)[0]
        close = {"rtol": 1e-12, "atol": 1e-14} if dtype == torch.float64 else {"rtol": 1e-5, "atol": 2e-6}
        torch.testing.assert_close(found[0, 0], expected[0], equal_nan=True, **close)
        torch.testing.assert_close(found[0, 1], 2 * expected[1], equal_nan=True, **close)
        torch.testing.assert_close(out, terms(new_raw, new_target), equal_nan=True, **close)


def pair() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (*torch.rand(2, BATCHES, RACERS, ROWS, generator=generator), torch.zeros(RACERS, ROWS))


def both(functions, x: Tensor, y: Tensor, out: Tensor):
    return Recorded(functions, [slice(0, 1), slice(1, 2)], x, y, at_once=False).batch(1, [out[:1], out[1:]])


def test_what_is_done_alike_is_done_once():
    x, y, out = pair()
    program = both([lambda x, y: (x - y).exp() * 2, lambda x, y: (x - y).exp() * 3], x, y, out)
    assert len(program) == 4
    x += 0.5
    play(program)
    torch.testing.assert_close(out, (x - y)[1].exp() * torch.tensor([[2.0], [3.0]]))


@pytest.mark.parametrize("order", [1, -1])
def test_what_one_changes_in_place_stays_as_it_was_for_others(order: int):
    x, y, out = pair()
    functions = [lambda x, y: (x - y).mul_(2), lambda x, y: (x - y) * 5][::order]
    play(both(functions, x, y, out))
    torch.testing.assert_close(out, (x - y)[1] * torch.tensor([[2.0], [5.0]][::order]))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, y: x - y, lambda x, y: x - y),
        (lambda x, y: (x - y).view(x.shape), lambda x, y: x - y),
        (lambda x, y: (x - y).view(x.shape).mul_(2), lambda x, y: 2 * (x - y)),
        (lambda x, y: -y, lambda x, y: -y),
        (lambda x, y: y, lambda x, y: y),
        (lambda x, y: torch.add(x, y, alpha=3), lambda x, y: x + 3 * y),
        (lambda x, y: torch.addcmul(x, y, y, value=-2), lambda x, y: x - 2 * y * y),
        (lambda x, y: torch.where(x > y, x, 0.25), lambda x, y: torch.where(x > y, x, 0.25)),
        (lambda x, y: torch.cumsum(x, -1), lambda x, y: torch.cumsum(x, -1)),
    ],
    ids=["new", "view", "view changed", "settled", "given", "several times", "product", "choice", "no rule"],
)
def test_two_with_one_result(function, expected):
    """Also where the result is a view, one of the given tensors, or made by an operation that NumPy has no rule for."""
    x, y, out = pair()
    recorded = Recorded([function, function], [slice(0, 1), slice(1, 2)], x, y, at_once=False)
    program = recorded.batch(2, [out[:1], out[1:]])
    x.mul_(0.5).add_(0.3)
    y.mul_(0.25)
    with torch.inference_mode():
        recorded.settle()
        play(program)
    torch.testing.assert_close(out, expected(x, y)[2])


ALONG = {
    "softmax": lambda x, y: x.softmax(-1),
    "log-softmax": lambda x, y: x.log_softmax(-1),
    "log-sum-exp": lambda x, y: x.logsumexp(-1),
    "log-sum-exp, kept": lambda x, y: x.logsumexp(-1, keepdim=True),
    "softmax along the rows": lambda x, y: x.softmax(-2),
    "sum in float64": lambda x, y: x.sum(-1, dtype=torch.float64),
    "sum of all rows": lambda x, y: x.sum((-2, -1), keepdim=True),
    "largest": lambda x, y: x.amax(-1, keepdim=True),
    "mean": lambda x, y: x.mean(-1),
    "chosen": lambda x, y: x.gather(-1, y),
    "chosen of a view": lambda x, y: x.mT.gather(-2, y.mT),
    "chosen twice": lambda x, y: x.gather(-1, torch.cat([y, y], -1)),
}


@pytest.mark.parametrize("columns", [1, 3, 10])
@pytest.mark.parametrize("name", ALONG)
def test_what_is_done_along_rows_of_any_length(name: str, columns: int):
    function, generator = ALONG[name], torch.Generator().manual_seed(3)
    x = torch.randn(BATCHES, RACERS, ROWS, columns, generator=generator)
    y = torch.randint(0, columns, (BATCHES, RACERS, ROWS, 1), generator=generator)
    out = torch.zeros_like(function(x, y))
    whole = Recorded([function], [slice(None)], x, y, at_once=True)
    program = whole.whole([out])
    x.mul_(4.0).sub_(1.0)
    y.copy_(y.flip(2))
    with torch.inference_mode():
        whole.settle()
        play(program)
    torch.testing.assert_close(out, function(x, y), rtol=1e-6, atol=1e-6)


SURPRISES = {
    "of probabilities": lambda p, y: torch.nn.functional.binary_cross_entropy(p, y, reduction="none"),
    "of probabilities, weighted": lambda p, y: torch.nn.functional.binary_cross_entropy(p, y, y + 1, reduction="none"),
    "of raw outputs": lambda p, y: torch.nn.functional.binary_cross_entropy_with_logits(
        400 * p - 200, y, reduction="none"
    ),
    "of raw outputs, ones count more": lambda p, y: torch.nn.functional.binary_cross_entropy_with_logits(
        400 * p - 200, y, reduction="none", pos_weight=torch.tensor(3.0)
    ),
    "softplus with a threshold": lambda p, y: torch.nn.functional.softplus(60 * p, threshold=40),
    "distance": lambda p, y: torch.nn.functional.l1_loss(p, y, reduction="none"),
    "many logistic functions": lambda p, y: torch.sigmoid(400 * p - 200).repeat(1, 1, 9),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SURPRISES)
def test_what_a_loss_has_of_its_own_in_torch(name: str, dtype: torch.dtype):
    function = SURPRISES[name]
    p, y = (tensor.to(dtype) for tensor in pair()[:2])
    p[0, 0, :2] = torch.tensor([0.0, 1.0])
    out = torch.zeros_like(function(p, y))
    whole = Recorded([function], [slice(None)], p, y, at_once=True)
    program = whole.whole([out])
    p.copy_(p.flip(2))
    with np.errstate(all="ignore"), torch.inference_mode():
        whole.settle()
        play(program)
    torch.testing.assert_close(out, function(p, y))


def test_a_function_that_looks_at_its_numbers_is_refused():
    x, y, _ = pair()
    with pytest.raises(TypeError, match="may not look at its numbers"):
        Recorded([lambda x, y: x if x.sum() > 0 else y], [slice(None)], x, y, at_once=True)


def test_chance_is_drawn_anew():
    generator = torch.Generator().manual_seed(3)
    mask = torch.zeros(50)
    program = Repeated(lambda: mask.bernoulli_(0.5, generator=generator), []).instead([])
    seen = []
    for _ in range(2):
        play(program)
        seen.append(mask.clone())
    again = torch.Generator().manual_seed(3)
    expected = [torch.zeros(50).bernoulli_(0.5, generator=again) for _ in range(3)]
    assert [mask.tolist() for mask in seen] == [mask.tolist() for mask in expected[1:]]
