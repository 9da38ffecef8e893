"""PyTorch and Keras code for a board, that prints the value the board shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lossviz import losses
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Reduction


def torch_code(key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any) -> str:
    """A PyTorch program that prints the value and the gradient of a board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged, such as logits for `kl_div`; by name where the board has several.
        target: The board's target, likewise; None where there is none.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The program; its first printed line is the value in float64.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> print(torch_code("mse", [1.5], [1.0]))
        import torch
        import torch.nn.functional as F
        <BLANKLINE>
        prediction = torch.tensor([1.5], dtype=torch.float64, requires_grad=True)
        target = torch.tensor([1.0], dtype=torch.float64)
        loss = F.mse_loss(prediction, target, reduction='mean')
        loss.backward()
        print(loss.item())
        print(prediction.grad)

    Source: https://pytorch.org/docs/stable/nn.functional.html
    """
    loss, state, lines = _prepare(key, prediction, target, reduction, loss_code="torch", parameters=parameters)
    flat = "no_gradient" in loss.properties
    body, gradients = [], []
    for item in loss.board.variables:
        numbers = state[item.name]
        kind = "" if _indices(loss, item.name) else ", dtype=torch.float64"
        moves = item.role == "prediction" and not flat
        body.append(f"{item.name} = torch.tensor({numbers}{kind}{', requires_grad=True' if moves else ''})")
        if moves:
            gradients.append(f"print({item.name}.grad)")
    body.append(lines)
    body += (
        ["print(loss.item())  # no gradient: a step function"] if flat else ["loss.backward()", "print(loss.item())"]
    )
    imports = ["import torch"]
    if "F." in lines:
        imports.append("import torch.nn.functional as F")
    return "\n".join([*imports, "", *body, *gradients])


def keras_code(key: str, prediction: Any, target: Any = None, reduction: str = "mean", **parameters: Any) -> str | None:
    """A Keras 3 program that prints the value of a board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged, such as logits for `kl_div`; by name where the board has several.
        target: The board's target, likewise; None where there is none.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The program; it prints the value in Keras's float32. None where the loss names no Keras code.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> print(keras_code("mse", [1.5], [1.0]).splitlines()[-1])
        print(float(loss))

    Source: https://keras.io/api/losses/
    """
    if losses.get(key).code.keras is None:
        return None
    loss, state, lines = _prepare(key, prediction, target, reduction, loss_code="keras", parameters=parameters)
    body = [
        f'{name} = keras.ops.array({numbers}, dtype="{"int32" if _indices(loss, name) else "float32"}")'
        for name, numbers in state.items()
    ]
    imports = ["import keras", "import numpy as np"] if "np." in lines else ["import keras"]
    return "\n".join([*imports, "", *body, lines, "print(float(loss))"])


def _indices(loss: Loss, variable: str) -> bool:
    """Whether a board's variable holds class indices."""
    return any(item.name == variable and item.domain.kind == "index" for item in loss.inputs)


def _prepare(
    key: str,
    prediction: Any,
    target: Any,
    reduction: str,
    loss_code: Literal["torch", "keras"],
    parameters: dict[str, Any],
) -> tuple[Loss, dict[str, Any], str]:
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    chosen = loss.reduction(reduction)
    tensors = board_state(loss, prediction, target)
    state = {name: (value.long() if _indices(loss, name) else value).tolist() for name, value in tensors.items()}
    return loss, state, loss_lines(loss, params, chosen, loss_code)


def loss_lines(loss: Loss, params: Mapping[str, Any], reduction: Reduction, library: Literal["torch", "keras"]) -> str:
    """The lines that turn `prediction` and `target` into `loss`; the loss must have code for the library.

    Example:
        >>> loss = losses.get("mse")
        >>> loss_lines(loss, {}, loss.reduction("mean"), "torch")
        "loss = F.mse_loss(prediction, target, reduction='mean')"
    """
    template = loss.code.torch if library == "torch" else loss.code.keras
    text = str(template(params, reduction.name) if callable(template) else template)
    keras_reduction = "sum" if reduction.divisor == "one" else "sum_over_batch_size"
    filled = {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}
    return text.format(reduction=reduction.torch_name, keras_reduction=keras_reduction, **filled)
