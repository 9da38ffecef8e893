"""PyTorch and Keras code for a board, that prints the value the board shows."""

from __future__ import annotations

from typing import Any

from lossviz import losses
from lossviz.evaluation import board_state
from lossviz.losses.base import Loss, Template


def torch_code(key: str, prediction: Any, target: Any, reduction: str = "mean", **parameters: Any) -> str:
    """A PyTorch program that prints the value and the gradient of a board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged, (n,) or (n, k); for `kl_div` logits.
        target: The loss's target.
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
    loss, state, lines = _prepare(key, prediction, target, reduction, "torch", parameters)
    indices = loss.board.kind == "classes"
    body = [
        f"prediction = torch.tensor({state['prediction']}, dtype=torch.float64, requires_grad=True)",
        f"target = torch.tensor({state['target']}{'' if indices else ', dtype=torch.float64'})",
        lines,
        "loss.backward()",
        "print(loss.item())",
        "print(prediction.grad)",
    ]
    imports = ["import torch"]
    if "F." in lines:
        imports.append("import torch.nn.functional as F")
    return "\n".join([*imports, "", *body])


def keras_code(key: str, prediction: Any, target: Any, reduction: str = "mean", **parameters: Any) -> str:
    """A Keras 3 program that prints the value of a board.

    Args:
        key: One of `lossviz.losses.keys()`.
        prediction: What is dragged, (n,) or (n, k); for `kl_div` logits.
        target: The loss's target.
        reduction: One of the loss's reductions.
        **parameters: The loss's parameters.

    Returns:
        The program; it prints the value in Keras's float32.

    Raises:
        KeyError: If there is no such loss.
        ValueError: If an argument is not legal.

    Example:
        >>> print(keras_code("mse", [1.5], [1.0]).splitlines()[-1])
        print(float(loss))

    Source: https://keras.io/api/losses/
    """
    loss, state, lines = _prepare(key, prediction, target, reduction, "keras", parameters)
    kind = "int32" if loss.board.kind == "classes" else "float32"
    body = [
        f'prediction = np.array({state["prediction"]}, dtype="float32")',
        f'target = np.array({state["target"]}, dtype="{kind}")',
        lines,
        "print(float(loss))",
    ]
    return "\n".join(["import keras", "import numpy as np", "", *body])


def _prepare(
    key: str, prediction: Any, target: Any, reduction: str, library: str, parameters: dict[str, Any]
) -> tuple[Loss, dict[str, Any], str]:
    loss = losses.get(key)
    params = loss.check_parameters(parameters)
    chosen = loss.reduction(reduction)
    state: dict[str, Any] = {name: value.tolist() for name, value in board_state(loss, prediction, target).items()}
    if loss.board.kind == "classes":
        state["target"] = [int(category) for category in state["target"]]
    template: Template = loss.code.torch if library == "torch" else loss.code.keras
    text = template(params, chosen.name) if callable(template) else template
    keras_reduction = "sum" if chosen.divisor == "one" else "sum_over_batch_size"
    filled = {name: list(value) if isinstance(value, tuple) else value for name, value in params.items()}
    return loss, state, text.format(reduction=chosen.torch_name, keras_reduction=keras_reduction, **filled)
