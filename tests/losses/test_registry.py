"""One suite for all losses: everything a loss declares about its numbers is held against them."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lossviz import evaluate, losses
from lossviz.evaluation import check_inputs
from lossviz.losses.base import Golden, Loss
from lossviz.proof import prove
from tests.losses.independent import TERMS
from tests.losses.points import draw

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)
SEEDS = range(8)


def arrays(inputs: dict[str, Tensor]) -> tuple[Any, Any]:
    return inputs["prediction"].numpy(), inputs["target"].numpy()


def total(loss: Loss, inputs: dict[str, Tensor], params: dict[str, Any]) -> float:
    return float(loss.terms(inputs, params).sum())


def test_the_thirteen_losses_are_there_in_the_order_of_the_menu() -> None:
    regression = "mse mae huber smooth_l1 log_cosh quantile"
    binary = "bce bce_with_logits hinge squared_hinge focal"
    assert " ".join(losses.keys()) == f"{regression} {binary} cross_entropy kl_div"


def test_an_unknown_key_gets_the_nearest_ones() -> None:
    with pytest.raises(KeyError, match="huber"):
        losses.get("hubber")
    with pytest.raises(KeyError, match="no loss 7"):
        losses.get(7)  # type: ignore[arg-type]


@every_loss
def test_random_points_are_legal_and_vary(loss: Loss) -> None:
    points = [draw(loss, seed) for seed in range(30)]
    for inputs, params in points:
        check_inputs(loss, *arrays(inputs))
        assert loss.check_parameters(params) == params
    for name in ("prediction", "target"):
        stacked = torch.stack([inputs[name] for inputs, _ in points]).double()
        assert (stacked.flatten(1).std(0) > 0.05).all(), f"{name} hardly varies"
    for parameter in loss.parameters:
        assert len({params[parameter.name] for _, params in points}) > 10
    target = loss.input("target").domain
    if target.kind in ("labels", "index"):
        seen = {value for inputs, _ in points for value in inputs["target"].tolist()}
        assert seen == set(target.values or range(3))


GOLDENS = [(loss, golden) for loss in map(losses.get, KEYS) for golden in loss.goldens]


@pytest.mark.parametrize(("loss", "golden"), GOLDENS, ids=[f"{loss.key}-{golden.source}" for loss, golden in GOLDENS])
def test_values_of_independent_programs(loss: Loss, golden: Golden) -> None:
    result = evaluate(loss.key, golden.prediction, golden.target, golden.reduction, **golden.parameters)
    assert result.value == pytest.approx(golden.value, rel=1e-13)


@every_loss
def test_goldens_cover_reductions_and_parameters(loss: Loss) -> None:
    assert len(loss.goldens) >= 2
    assert all(any(character.isdigit() for character in golden.source) for golden in loss.goldens)
    assert len({golden.reduction for golden in loss.goldens}) >= 2 or loss.key == "quantile"
    assert {name for golden in loss.goldens for name in golden.parameters} >= {item.name for item in loss.parameters}


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_independent_implementation(loss: Loss, seed: int) -> None:
    inputs, params = draw(loss, seed)
    expected = TERMS[loss.key](*arrays(inputs), params)
    for reduction in loss.reductions:
        result = evaluate(loss.key, *arrays(inputs), reduction.name, **params)
        np.testing.assert_allclose(result.terms, expected, rtol=1e-11, atol=1e-14)
        assert result.value == pytest.approx(expected.sum() / result.denominator, rel=1e-11)


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_torch_code_gives_the_same_value_and_gradient(loss: Loss, seed: int) -> None:
    inputs, params = draw(loss, seed)
    for reduction in loss.reductions:
        result = evaluate(loss.key, *arrays(inputs), reduction.name, **params)
        template = loss.code.torch
        text = template(params, reduction.name) if callable(template) else template
        prediction = inputs["prediction"].clone().requires_grad_()
        names = {"prediction": prediction, "target": inputs["target"], "torch": torch, "F": torch.nn.functional}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "reduction: 'mean' divides")  # torch says so of kl_div's own mean
            exec(text.format(reduction=reduction.torch_name, **params), names)
        assert names["loss"].item() == pytest.approx(result.value, rel=1e-14)
        (gradient,) = torch.autograd.grad(names["loss"], prediction)
        if loss.board.link is None:
            np.testing.assert_allclose(gradient.numpy(), result.gradient, rtol=1e-12, atol=1e-15)


@every_loss
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), samples=st.integers(1, 6), classes=st.integers(2, 6))
def test_gradient_three_ways(loss: Loss, seed: int, samples: int, classes: int) -> None:
    inputs, params = draw(loss, seed, samples, classes)
    for reduction in loss.reductions:
        proof = prove(loss.key, *arrays(inputs), reduction.name, **params)
        np.testing.assert_allclose(proof.closed_form, proof.autograd, rtol=1e-10, atol=1e-14)
        assert proof.gap < 1e-5


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_gradcheck(loss: Loss, seed: int) -> None:
    inputs, params = draw(loss, seed, samples=3)

    def summed(prediction: Tensor) -> Tensor:
        return loss.terms({**inputs, "prediction": prediction}, params).sum()

    assert torch.autograd.gradcheck(summed, inputs["prediction"].requires_grad_())


@every_loss
def test_leading_batch_dimensions_equal_the_loop(loss: Loss) -> None:
    points = [draw(loss, seed)[0] for seed in range(6)]
    params = draw(loss, 3)[1]
    batch = {name: torch.stack([point[name] for point in points]).unflatten(0, (2, 3)) for name in points[0]}
    functions = {"terms": loss.terms, "derivative": loss.derivative}
    for name, function in functions.items():
        together = function(batch, params).flatten(0, 1)
        loop = torch.stack([function(point, params) for point in points])
        torch.testing.assert_close(together, loop, rtol=1e-14, atol=1e-15, msg=name)
    if loss.derived is not None:
        together = loss.derived(batch, params)
        for index, point in enumerate(points):
            for name, value in loss.derived(point, params).items():
                torch.testing.assert_close(together[name].flatten(0, 1)[index], value, rtol=1e-14, atol=1e-15)
    for reduction in loss.reductions:
        denominators = torch.as_tensor(loss.denominator(batch, params, reduction.name)).expand(2, 3).flatten()
        single = [float(loss.denominator(point, params, reduction.name)) for point in points]
        assert denominators.tolist() == pytest.approx(single, rel=1e-15)


@every_loss
def test_terms_shares_and_reductions_add_up(loss: Loss) -> None:
    inputs, params = draw(loss, 5)
    results = {item.name: evaluate(loss.key, *arrays(inputs), item.name, **params) for item in loss.reductions}
    default = evaluate(loss.key, *arrays(inputs), **params)
    assert default.value == results[loss.reductions[0].name].value
    assert default.value == evaluate(loss.key, *arrays(inputs), "mean", **params).value
    for result in results.values():
        assert result.per_sample.shape == (5,)
        assert result.per_sample.sum() == pytest.approx(result.terms.sum(), rel=1e-14)
        assert result.value * result.denominator == pytest.approx(results["sum"].value, rel=1e-14)
        np.testing.assert_allclose(result.gradient * result.denominator, results["sum"].gradient, rtol=1e-14)
    with pytest.raises(ValueError, match=r"'median'.*'sum'"):
        evaluate(loss.key, *arrays(inputs), "median", **params)


def extremes(loss: Loss, dtype: torch.dtype) -> dict[str, Tensor]:
    domain, target = loss.input("prediction").domain, loss.input("target")
    if loss.classwise:
        prediction = torch.tensor([[1e4, -1e4, 0.0], [0.0, 0.0, 1e4]], dtype=dtype)
        prediction = torch.log_softmax(prediction, -1) if domain.kind == "log_probability" else prediction
        if target.domain.kind == "index":
            return {"prediction": prediction, "target": torch.tensor([1, 2])}
        return {"prediction": prediction, "target": torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]], dtype=dtype)}
    ends = (domain.low, domain.high) if domain.kind == "interval" else (-1e4, 1e4)
    labels = target.domain.values or ((0.0, 1.0) if target.domain.kind == "interval" else (0.0, 1e-3))
    pairs = torch.tensor([(end, label) for end in ends for label in labels], dtype=dtype)
    return {"prediction": pairs[:, 0].clone(), "target": pairs[:, 1].clone()}


@every_loss
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_finite_at_extremes(loss: Loss, dtype: str, seed: int | None) -> None:
    params = loss.check_parameters({}) if seed is None else draw(loss, seed)[1]
    inputs = extremes(loss, getattr(torch, dtype))
    result = evaluate(loss.key, *arrays(inputs), "sum", dtype, **params)
    assert np.isfinite(result.terms).all()
    assert np.isfinite(result.gradient).all()
    np.testing.assert_allclose(result.closed_form, result.gradient, rtol=1e-5, atol=1e-6)
    assert result.gradient.dtype == np.dtype(dtype)


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_best_constant_is_a_minimum(loss: Loss, seed: int) -> None:
    if loss.best_constant is None:
        assert loss.minimiser.startswith("No closed form")
        return
    inputs, params = draw(loss, seed, samples=25)
    target = inputs["target"]
    best = loss.best_constant(target, params)

    def mean_at(constant: Tensor) -> float:
        prediction = constant.expand(25, *best.shape)
        return total(loss, {"prediction": prediction, "target": target}, params) / 25

    if best.dim():
        generator = torch.Generator().manual_seed(seed)
        steps = torch.randn(200, len(best), generator=generator, dtype=torch.float64)
        others = [torch.log_softmax(best + size * step, -1) for step in steps for size in (0.01, 1.0)]
    else:
        unit = loss.input("prediction").domain.kind == "interval"
        others = list(torch.linspace(0, 1, 401) if unit else torch.linspace(-12, 12, 2401))
        others += [(best + shift).clamp(0, 1) if unit else best + shift for shift in (-1e-3, 1e-3)]
    assert mean_at(best) <= min(mean_at(other.double()) for other in others) + 1e-12


ERRORS = [(loss, case) for loss in map(losses.get, KEYS) for case in loss.errors]


@pytest.mark.parametrize(("loss", "case"), ERRORS, ids=[f"{loss.key}-{case.message}" for loss, case in ERRORS])
def test_illegal_input_is_refused(loss: Loss, case: Any) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011, the message is compared below
        evaluate(loss.key, case.prediction, case.target, **case.parameters)
    assert case.message in str(error.value)


@every_loss
def test_unknown_and_illegal_parameters_are_refused(loss: Loss) -> None:
    inputs, _ = draw(loss, 0)
    with pytest.raises(ValueError, match=f"'detla' is no parameter of {loss.key}"):
        evaluate(loss.key, *arrays(inputs), detla=1.0)
    for parameter in loss.parameters:
        beyond: list[Any] = [parameter.low - 1, parameter.high + 1, float("nan"), "1", True, [[1.0]]]
        beyond += [parameter.low] if parameter.low_open else []
        beyond += [parameter.high] if parameter.high_open else []
        for value in beyond:
            with pytest.raises(ValueError, match=parameter.name):
                evaluate(loss.key, *arrays(inputs), **{parameter.name: value})
