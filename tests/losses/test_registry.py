"""One suite for all losses: everything a loss declares about its numbers is held against them."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import lossviz
from lossviz import evaluate, losses
from lossviz.evaluation import check_inputs
from lossviz.losses.base import TASKS, Golden, Input, Loss
from lossviz.proof import prove
from tests.losses.independent import TERMS
from tests.losses.points import SIZES, arguments, board_arguments, draw, draw_input

KEYS = losses.keys()
every_loss = pytest.mark.parametrize("loss", [losses.get(key) for key in KEYS], ids=KEYS)
SEEDS = range(8)
BOUND = 250.0  # symmetric percentage errors go up to 200


def named(gradient: Any, loss: Loss) -> dict[str, Any]:
    """A gradient by the name of the prediction, also where there is one."""
    return gradient if isinstance(gradient, dict) else {loss.predictions[0].name: gradient}


def total(loss: Loss, inputs: dict[str, Tensor], params: dict[str, Any]) -> float:
    return float(loss.terms(loss.hold(inputs, params), params).sum())


CATALOGUE = {
    "regression": "mse mae huber smooth_l1 log_cosh quantile mape smape msle pseudo_huber cauchy tukey_biweight "
    "general_robust epsilon_insensitive expectile poisson_nll gaussian_nll gamma_deviance tweedie_deviance "
    "cosine_similarity",
    "binary": "bce bce_with_logits hinge squared_hinge focal soft_margin exponential perceptron modified_huber brier "
    "asymmetric zero_one",
    "multiclass": "cross_entropy nll categorical_focal multi_margin categorical_hinge generalized_cross_entropy poly1 "
    "multilabel_margin multilabel_soft_margin",
    "distribution": "kl_div js_divergence wasserstein_1d",
    "embedding": "cosine_embedding hinge_embedding contrastive triplet_margin margin_ranking ranknet listnet info_nce "
    "supcon circle arcface",
    "segmentation": "dice jaccard tversky focal_tversky combo",
    "detection": "iou giou diou ciou",
    "sequence": "ctc next_token dpo",
    "generative": "gan_minimax gan_non_saturating lsgan wgan hinge_gan vae_elbo",
}


def test_the_catalogue_is_whole_and_in_the_order_of_the_menu() -> None:
    assert {task: " ".join(key for key in KEYS if losses.get(key).task == task) for task in TASKS} == CATALOGUE
    assert " ".join(KEYS) == " ".join(CATALOGUE.values())


def test_an_unknown_key_gets_the_nearest_ones() -> None:
    with pytest.raises(KeyError, match="huber"):
        losses.get("hubber")
    with pytest.raises(KeyError, match="no loss 7"):
        losses.get(7)  # type: ignore[arg-type]


@every_loss
def test_random_points_are_legal_and_vary(loss: Loss) -> None:
    points = [draw(loss, seed) for seed in range(30)]
    for inputs, params in points:
        check_inputs(loss, *arguments(loss, inputs))
        assert loss.check_parameters(params) == params
    for item in loss.inputs:
        stacked = torch.stack([inputs[item.name] for inputs, _ in points]).double()
        assert (stacked.flatten(1).std(0) > 0.05).all(), f"{item.name} hardly varies"
        if item.domain.kind in ("labels", "index"):
            seen = {value for inputs, _ in points for value in inputs[item.name].flatten().tolist()}
            assert seen == set(item.domain.values or range(int(max(item.domain.low, 0)), 3))
    for parameter in loss.parameters:
        assert len({params[parameter.name] for _, params in points}) >= (len(parameter.options) or 2)


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
    expected = TERMS[loss.key]({name: tensor.numpy() for name, tensor in inputs.items()}, params)
    for reduction in loss.reductions:
        result = evaluate(loss.key, *arguments(loss, inputs), reduction.name, **params)
        np.testing.assert_allclose(result.terms, expected, rtol=1e-11, atol=1e-14)
        assert result.value == pytest.approx(expected.sum() / result.denominator, rel=1e-11)


@every_loss
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), samples=st.integers(1, 6), classes=st.integers(2, 6))
def test_gradient_three_ways(loss: Loss, seed: int, samples: int, classes: int) -> None:
    inputs, params = draw(loss, seed, samples, classes)
    for reduction in loss.reductions:
        proof = prove(loss.key, *arguments(loss, inputs), reduction.name, **params)
        closed, autograd = named(proof.closed_form, loss), named(proof.autograd, loss)
        for name, gradient in autograd.items():
            np.testing.assert_allclose(closed[name], gradient, rtol=1e-9, atol=1e-12, err_msg=name)
        assert proof.gap < 1e-5


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_gradcheck(loss: Loss, seed: int) -> None:
    inputs, params = draw(loss, seed, samples=3)
    full = loss.hold(inputs, params)
    names = [item.name for item in loss.predictions if item.differentiable]

    def summed(*predictions: Tensor) -> Tensor:
        return loss.terms({**full, **dict(zip(names, predictions, strict=True))}, params).sum()

    if "no_gradient" in loss.properties:
        assert not any(closed.any() for closed in loss.derivatives(full, params).values())
        return
    assert torch.autograd.gradcheck(summed, tuple(inputs[name].clone().requires_grad_() for name in names))


@every_loss
def test_leading_batch_dimensions_equal_the_loop(loss: Loss) -> None:
    points = [draw(loss, seed)[0] for seed in range(6)]
    params = draw(loss, 3)[1]
    batch = {name: torch.stack([point[name] for point in points]).unflatten(0, (2, 3)) for name in points[0]}
    whole = loss.hold(batch, params)
    singles = [loss.hold(point, params) for point in points]

    def columns(full: dict[str, Tensor]) -> dict[str, Tensor]:
        derived = loss.derived(full, params) if loss.derived else {}
        slopes = {f"slope of {name}": slope for name, slope in loss.derivatives(full, params).items()}
        return {"terms": loss.terms(full, params), **slopes, **derived}

    together = columns(whole)
    for index, single in enumerate(singles):
        for name, value in columns(single).items():
            torch.testing.assert_close(
                together[name].flatten(0, 1)[index],
                value,
                rtol=1e-12,
                atol=1e-13,
                msg=lambda text, name=name: f"{name}: {text}",
            )
    for reduction in loss.reductions:
        denominators = torch.as_tensor(loss.denominator(batch, params, reduction.name)).expand(2, 3).flatten()
        single = [float(loss.denominator(point, params, reduction.name)) for point in points]
        assert denominators.tolist() == pytest.approx(single, rel=1e-15)


@every_loss
def test_terms_shares_and_reductions_add_up(loss: Loss) -> None:
    inputs, params = draw(loss, 5)
    results = {item.name: evaluate(loss.key, *arguments(loss, inputs), item.name, **params) for item in loss.reductions}
    default = evaluate(loss.key, *arguments(loss, inputs), **params)
    assert default.value == results[loss.reductions[0].name].value
    assert default.value == evaluate(loss.key, *arguments(loss, inputs), "mean", **params).value
    for result in results.values():
        assert result.per_sample.shape == (5,)
        assert result.terms.ndim == len(loss.term_axes)
        assert result.per_sample.sum() == pytest.approx(result.terms.sum(), rel=1e-14)
        assert result.value * result.denominator == pytest.approx(results["sum"].value, rel=1e-14)
        for name, gradient in named(result.gradient, loss).items():
            summed = named(results["sum"].gradient, loss)[name]
            np.testing.assert_allclose(gradient * result.denominator, summed, rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match=r"'median'.*'sum'"):
        evaluate(loss.key, *arguments(loss, inputs), "median", **params)


def extreme(item: Input, generator: torch.Generator, sizes: dict[str, int]) -> Tensor:
    """Numbers at the ends of a domain, or far out where it has none."""
    shape = tuple(sizes[axis] for axis in item.shape if axis != "...")
    domain = item.domain
    pick = torch.randint(3, shape, generator=generator)
    if domain.kind in ("labels", "index"):
        return draw_input(item, sizes, generator)
    if domain.kind == "box":
        size = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)[pick]
        return torch.cat([size[..., :2], size[..., :2] + size[..., 2:]], -1)
    if domain.kind == "interval":
        low = domain.low + (1e-3 if domain.low_open else 0.0) if domain.low > -math.inf else -1e3
        high = domain.high if domain.high < math.inf else 1e3
        return torch.tensor([low, high, (low + high) / 2], dtype=torch.float64)[pick]
    far = torch.tensor([-1e4, 1e4, 0.0], dtype=torch.float64)[pick]
    if domain.kind == "simplex":
        return torch.softmax(far, -1)
    return torch.log_softmax(far, -1) if domain.kind == "log_probability" else far


@every_loss
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_finite_at_extremes(loss: Loss, dtype: str, seed: int | None) -> None:
    params = loss.check_parameters({}) if seed is None else draw(loss, seed)[1]
    generator = torch.Generator().manual_seed(seed or 0)
    inputs = {item.name: extreme(item, generator, {**SIZES, "n": 6, "k": 3}) for item in loss.inputs}
    result = evaluate(loss.key, *arguments(loss, inputs), "sum", dtype, **params)
    for numbers in (result.terms, *named(result.gradient, loss).values()):
        assert not np.isnan(numbers).any()
        assert np.isfinite(numbers).all() or loss.overflow
    for name, gradient in named(result.gradient, loss).items():
        closed = named(result.closed_form, loss)[name]
        both = np.isfinite(gradient) & np.isfinite(closed)
        np.testing.assert_allclose(closed[both], gradient[both], rtol=2e-3, atol=1e-5)
        assert gradient.dtype == np.dtype(dtype)


def constants(loss: Loss, best: Tensor, seed: int) -> list[Tensor]:
    """Legal constant predictions, near the best one and far from it."""
    domain = loss.predictions[0].domain
    generator = torch.Generator().manual_seed(seed)
    if not best.dim():
        low, high = max(domain.low, -12.0), min(domain.high, 12.0)
        grid = torch.linspace(low + 1e-6 * domain.low_open, high, 2401, dtype=torch.float64)
        near = torch.stack([best + shift for shift in (-1e-3, 1e-3)]).clamp(grid[0], high)
        return [*grid, *near]
    steps = torch.randn(200, *best.shape, generator=generator, dtype=torch.float64)
    moved = [size * step for step in steps for size in (0.01, 1.0)]
    if domain.kind == "simplex":
        return [torch.softmax(best.clamp(min=1e-12).log() + step, -1) for step in moved]
    if domain.kind == "log_probability":
        return [torch.log_softmax(best + step, -1) for step in moved]
    return [best + step for step in moved]


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_best_constant_is_a_minimum(loss: Loss, seed: int) -> None:
    if loss.best_constant is None:
        assert loss.minimiser.startswith(("No closed form: ", "None, because "))
        return
    inputs, params = draw(loss, seed, samples=25)
    best = loss.best_constant(inputs["target"], params)

    def mean_at(constant: Tensor) -> float:
        prediction = constant.expand(25, *best.shape)
        return total(loss, {"prediction": prediction, "target": inputs["target"]}, params) / 25

    lowest = min(mean_at(other) for other in constants(loss, best, seed))
    assert mean_at(best) <= lowest + 1e-9 * (1 + abs(lowest))


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_invariances_leave_every_term(loss: Loss, seed: int) -> None:
    inputs, params = draw(loss, seed)
    before = loss.terms(loss.hold(inputs, params), params)
    for claim in loss.invariances:
        changed = {name: tensor.clone() for name, tensor in claim.transform(inputs).items()}
        assert any(not torch.equal(changed[name], inputs[name]) for name in inputs), claim.text
        check_inputs(loss, *arguments(loss, changed))
        after = loss.terms(loss.hold(changed, params), params)
        torch.testing.assert_close(
            after, before, rtol=1e-9, atol=1e-10, msg=lambda text, claim=claim: claim.text + text
        )


def chords(loss: Loss) -> Iterator[tuple[float, float]]:
    """The summed loss in the middle of two legal predictions, and the mean of its values at their ends."""
    if loss.board.kind == "mask":
        # Random masks are too much alike: a nearly perfect one, and one whose background is raised.
        params, truth = loss.check_parameters({}), loss.board.example()["target"]
        sharp = 0.98 * truth + 0.01
        ends = (sharp, torch.where(truth == 1, sharp, 0.6))
        first, last, middle = (
            total(loss, {"prediction": mask, "target": truth}, params) for mask in (*ends, (ends[0] + ends[1]) / 2)
        )
        yield middle, (first + last) / 2
    for seed in range(120):
        inputs, _ = draw(loss, seed, samples=1 if seed % 2 else 3)
        other, _ = draw(loss, seed + 1000, samples=1 if seed % 2 else 3)
        params = loss.check_parameters({}) if seed % 3 else draw(loss, seed)[1]
        reach = (0.2, 1.0, 3.0)[seed % 3]
        end = dict(inputs)
        for item in loss.predictions:
            shift = other[item.name] - inputs[item.name]
            end[item.name] = inputs[item.name] + (shift * reach if item.domain.kind == "real" else shift)
        middle = {**inputs, **{item.name: (inputs[item.name] + end[item.name]) / 2 for item in loss.predictions}}
        yield total(loss, middle, params), (total(loss, inputs, params) + total(loss, end, params)) / 2


@every_loss
def test_convex_or_not(loss: Loss) -> None:
    assert len({"convex", "non_convex"} & set(loss.properties)) == 1
    above = [middle > mean + 1e-9 * (1 + abs(mean)) for middle, mean in chords(loss)]
    assert any(above) == ("non_convex" in loss.properties)


@every_loss
def test_bounded_robust_or_without_gradient(loss: Loss) -> None:
    values, slopes = [], []
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        sizes = {**SIZES, "n": max(3, loss.board.min_samples), "k": 3}
        inputs = {item.name: extreme(item, generator, sizes) for item in loss.inputs}
        result = evaluate(loss.key, *arguments(loss, inputs), "sum")
        values.append(np.abs(result.terms).max())
        slopes.extend(np.abs(gradient).max() for gradient in named(result.gradient, loss).values())
    if "bounded" in loss.properties:
        assert max(values) <= BOUND
    if "robust" in loss.properties:
        assert max(slopes) <= BOUND
    if "no_gradient" in loss.properties:
        assert max(slopes) == 0
    if "logits" in loss.properties:
        assert all(item.domain.kind == "real" for item in loss.predictions)


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
        evaluate(loss.key, *arguments(loss, inputs), detla=1.0)
    for parameter in loss.parameters:
        beyond: list[Any] = [float("nan"), "1", [[1.0]], {}]
        if parameter.kind in ("number", "class_weights"):
            beyond += [parameter.low - 1, parameter.high + 1, True]
        beyond += [parameter.low] if parameter.low_open else []
        beyond += [parameter.high] if parameter.high_open else []
        for value in beyond:
            with pytest.raises(ValueError, match=parameter.name):
                evaluate(loss.key, *arguments(loss, inputs), **{parameter.name: value})


@every_loss
def test_pitfalls_open_a_legal_board(loss: Loss) -> None:
    assert len(loss.pitfalls) >= 2
    for pitfall in loss.pitfalls:
        shown = losses.get(pitfall.loss or loss.key)
        state = shown.board.example()
        assert set(pitfall.state) <= set(state)
        state |= {name: torch.tensor(value, dtype=torch.float64) for name, value in pitfall.state.items()}
        prediction, target = board_arguments(shown, state)
        tables = lossviz.tables(
            shown.key, prediction, target, pitfall.reduction or "mean", **shown.check_parameters(pitfall.parameters)
        )
        assert np.isfinite(tables.base["value"]).all() or shown.overflow


@every_loss
def test_relatives_exist_and_suits_give_reasons(loss: Loss) -> None:
    assert loss.relatives
    for relative in loss.relatives:
        assert relative.key in KEYS
        assert relative.key != loss.key
    assert loss.suits
    assert all(suit.reason.endswith(".") for suit in loss.suits)


@every_loss
def test_the_naive_formula_is_the_same_where_floats_stand_it(loss: Loss) -> None:
    if loss.naive is None:
        return
    inputs, params = draw(loss, 0)
    full = loss.hold(inputs, params)
    torch.testing.assert_close(loss.naive.terms(full, params), loss.terms(full, params), rtol=1e-9, atol=1e-12)
