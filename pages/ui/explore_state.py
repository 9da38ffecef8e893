"""The state of the Explore page and its URL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from lossviz import losses
from lossviz.descent import MAX_RATE
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Parameter, Pitfall
from pages.ui.links import quote

DEFAULT_LOSS = "mse"
DEFAULT_RATE = 0.1
Numbers = tuple[Any, ...]


@dataclass(frozen=True)
class ExploreState:
    """What the Explore page shows.

    Args:
        loss: Key of the loss.
        reduction: Name of the reduction.
        parameters: All parameters by name.
        numbers: The board's variables by name, as nested tuples.
        rate: Learning rate of the descent on the predictions.
    """

    loss: str
    reduction: str
    parameters: Mapping[str, Any]
    numbers: Mapping[str, Numbers]
    rate: float = field(default=DEFAULT_RATE)

    @property
    def declared(self) -> Loss:
        """The loss itself."""
        return losses.get(self.loss)

    def of(self, role: str) -> Any:
        """The numbers of a role by name, as lossviz's functions take them; None where there are none."""
        return {
            item.name: self.numbers[item.name] for item in self.declared.board.variables if item.role == role
        } or None

    @property
    def arguments(self) -> tuple[str, Any, Any]:
        """Loss, predictions and targets, as lossviz's functions take them."""
        return self.loss, self.of("prediction"), self.of("target")

    def tensors(self) -> dict[str, Tensor]:
        """The board's state as checked tensors."""
        return board_state(self.declared, self.of("prediction"), self.of("target"))

    def with_tensors(self, state: Mapping[str, Tensor]) -> ExploreState:
        """The same page with other numbers on the board."""
        return replace(self, numbers={name: _nested(tensor) for name, tensor in state.items()})


def start(key: str, rate: float = DEFAULT_RATE) -> ExploreState:
    """The filled board that a learner sees first."""
    loss = losses.get(key)
    return ExploreState(
        loss=key,
        reduction=loss.reductions[0].name,
        parameters=loss.check_parameters({}),
        numbers={name: _nested(value) for name, value in loss.board.example().items()},
        rate=rate,
    )


def pitfall_state(key: str, pitfall: Pitfall) -> ExploreState:
    """The board in the state that shows a pitfall of a loss."""
    state = start(pitfall.loss or key)
    loss = state.declared
    return replace(
        state,
        reduction=pitfall.reduction or state.reduction,
        parameters=loss.check_parameters(pitfall.parameters),
        numbers={**state.numbers, **{name: _tuples(value) for name, value in pitfall.state.items()}},
    )


def parse(params: Mapping[str, str]) -> tuple[ExploreState, list[str]]:
    """Turn query parameters into a state; what is not legal falls back to the default, with a notice."""
    notices: list[str] = []
    key = params.get("loss", DEFAULT_LOSS)
    if key not in losses.keys():  # noqa: SIM118 - keys() is the registry's own function
        notices.append(
            f"The link asks for the loss {quote(key)}, which does not exist. Here is {DEFAULT_LOSS} instead."
        )
        key = DEFAULT_LOSS
    state = start(key)
    loss = state.declared
    variables = [item.name for item in loss.board.variables]
    known = {"loss", "reduction", "rate", *variables, *(item.name for item in loss.parameters)}
    notices.extend(
        f"The link holds {quote(name)}, which {loss.key} does not know; it is left out."
        for name in params
        if name not in known
    )
    if "reduction" in params:
        try:
            state = replace(state, reduction=loss.reduction(params["reduction"]).name)
        except ValueError:
            allowed = ", ".join(reduction.name for reduction in loss.reductions)
            notices.append(
                f"The link's reduction is {quote(params['reduction'])}; {loss.key} has {allowed}. "
                f"Here is {state.reduction} instead."
            )
    for parameter in loss.parameters:
        if parameter.name in params:
            try:
                value = parameter.check(_parameter(parameter, params[parameter.name]))
                trial = {**state.parameters, parameter.name: value}
                changed = replace(state, parameters=trial)
                check_state(changed)
                state = changed
            except ValueError as error:
                notices.append(f"The link's {error}. Here is the default instead.")
    given = [name for name in variables if name in params]
    if given:
        try:
            trial_state = replace(state, numbers={**state.numbers, **{name: _numbers(params[name]) for name in given}})
            check_state(trial_state)
            state = trial_state
        except ValueError as error:
            notices.append(f"The link's numbers cannot be shown: {error}. Here is the starting example instead.")
    if "rate" in params:
        try:
            state = replace(state, rate=check_rate(_number(params["rate"])))
        except ValueError as error:
            notices.append(f"The link's {error}. Here is {DEFAULT_RATE:g} instead.")
    return state, notices


def format_url(state: ExploreState) -> dict[str, str]:
    """The query parameters that restore a state: only what is not at its default."""
    default = start(state.loss)
    params: dict[str, str] = {}
    if state.loss != DEFAULT_LOSS:
        params["loss"] = state.loss
    if state.reduction != default.reduction:
        params["reduction"] = state.reduction
    for name, value in state.parameters.items():
        if value != default.parameters[name]:
            params[name] = _text(value) if isinstance(value, tuple | float) else str(value).lower()
    for name, numbers in state.numbers.items():
        if numbers != default.numbers[name]:
            params[name] = _text(numbers)
    if state.rate != DEFAULT_RATE:
        params["rate"] = _text(state.rate)
    return params


def check_rate(value: float) -> float:
    """A legal learning rate.

    Raises:
        ValueError: If it is not above 0 and at most 1000.
    """
    if not 0 < value <= MAX_RATE:
        raise ValueError(f"rate is {value:g}; allowed is a number above 0 and at most {MAX_RATE:g}")
    return value


def parse_numbers(text: str) -> tuple[float, ...] | None:
    """Numbers as typed into a field, separated by commas or spaces; None where nothing is typed.

    Raises:
        ValueError: If something is no finite number.
    """
    return tuple(_number(item) for item in text.replace(",", " ").split()) or None


def check_state(state: ExploreState) -> None:
    """Refuse a state that the page cannot show.

    Raises:
        ValueError: If a number is not legal, class weights do not fit the classes on the board, or all its targets
            have the weight 0, so that their mean is not defined.
    """
    loss, tensors = state.declared, state.tensors()
    for parameter in loss.parameters:
        weights = state.parameters[parameter.name]
        if parameter.kind != "class_weights" or weights is None:
            continue
        classes = tensors["prediction"].shape[-1]
        if len(weights) != classes:
            raise ValueError(
                f"{parameter.name} holds {len(weights)} numbers; allowed is one for each of {classes} classes"
            )
    if float(loss.denominator(loss.board.inputs(tensors), state.parameters, state.reduction)) == 0:
        raise ValueError("every target on the board has a class of weight 0; at least one weight above 0 is needed")


def _parameter(parameter: Parameter, text: str) -> Any:
    try:
        if parameter.kind == "class_weights":
            return _numbers(text)
        if parameter.kind == "flag":
            return {"true": True, "false": False}.get(text, text)
        return text if parameter.kind == "choice" else _number(text)
    except ValueError:
        raise ValueError(f"{parameter.name} is {quote(text)}; allowed is {parameter.describe()}") from None


def _numbers(text: str) -> Numbers:
    """Numbers are joined by _, rows by ~, tables by ~~; the mark at the end tells a single row from plain numbers."""
    for mark in ("~~", "~"):
        if mark in text:
            return tuple(_numbers(part) for part in text.removesuffix(mark).split(mark))
    return tuple(_number(item) for item in text.split("_"))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{quote(text)} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{quote(text)} is no finite number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, tuple):
        return repr(float(value)).removesuffix(".0")
    depth = _depth(value)
    if depth == 1:
        return "_".join(map(_text, value))
    mark = "~" * (depth - 1)
    # A table of one row ends with the mark, which tells it from a row; rows in a table of tables never do.
    return mark.join(_text(item).removesuffix("~") if depth > 2 else _text(item) for item in value) + (
        mark if len(value) == 1 else ""
    )


def _depth(value: Any) -> int:
    return 1 + _depth(value[0]) if isinstance(value, tuple) else 0


def _nested(tensor: Tensor) -> Numbers:
    return _tuples(tensor.tolist())


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
