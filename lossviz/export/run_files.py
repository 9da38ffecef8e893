"""Files of a run that hold its numbers: curves as CSV, settings as JSON, weights as a PyTorch state_dict.

Every number is written so that reading it gives the same number again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor

from lossviz.datasets.own_points import OwnPoints
from lossviz.export.run_script import columns, layers
from lossviz.models import RecurrentNetwork
from lossviz.training import Event, RunConfig, RunState
from lossviz.training.model import dense

MOST_CHARACTERS: Final = 1_000_000
"""Room for a thousand changes on the way, many times over."""


def curves_csv(config: RunConfig, events: Iterable[Event]) -> str:
    """Return the curves as CSV: one line for each epoch, in the columns that the PyTorch program prints.

    Args:
        config: the run.
        events: what it brought, in order.

    Returns:
        Lines ending in a line feed, the first with the names. A cell is empty where a metric is not defined. Losses
        that are beyond all numbers read inf and nan.

    Example:
        >>> from dataclasses import replace
        >>> from lossviz.training import CLASSIC, run
        >>> config = replace(CLASSIC, epochs=1)
        >>> print(curves_csv(config, run(config)).rstrip())
        epoch,batch_loss,train_loss,train_r2,learning_rate,updates
        1,30.0,20.83499926328659,-3.1670000593662264,0.01,1
    """
    names = columns(config)
    fields = [name.replace(config.metric, "metric") for name in names]
    lines = [",".join(names)]
    for event in events:
        values = [getattr(event, field) for field in fields]
        lines.append(",".join("" if value is None else repr(value) for value in values))
    return "\n".join(lines) + "\n"


def config_json(config: RunConfig) -> str:
    """Return the settings as JSON text, which `read_config` turns into an equal config.

    Example:
        >>> from lossviz.training import CLASSIC
        >>> read_config(config_json(CLASSIC)) == CLASSIC
        True
    """
    return json.dumps(config.to_dict(), indent=2, allow_nan=False) + "\n"


def read_config(text: str, own: OwnPoints | None = None) -> RunConfig:
    """Return the config that a JSON text describes, such as one of `config_json`.

    Args:
        text: an object with the fields of a `RunConfig`; those that are missing keep their default.
        own: own data, for the case that the settings name it.

    Returns:
        The config.

    Raises:
        ValueError: the text is no JSON, too long, or describes no run; the message says what is wrong.
            `OwnDataNeeded`, a kind of it, where the settings name own data that is not given.

    Example:
        >>> read_config('{"dataset": "iris", "epochs": 0}')
        Traceback (most recent call last):
        ValueError: epochs is 0; a whole number from 1 to 10000 is allowed
    """
    return RunConfig.from_dict(read_settings(text), own)


def read_settings(text: str) -> Any:
    """Return the fields in the text of a settings file, before they are looked at.

    Raises:
        ValueError: the text is no JSON, or too long.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the file has {len(text):,} characters; settings of a run have {MOST_CHARACTERS:,} at most")
    try:
        given = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"the file is no JSON: line {error.lineno}, column {error.colno}: {error.msg}; settings of a run look like "
            '{"dataset": "iris", "epochs": 200}'
        ) from None
    except RecursionError:
        raise ValueError("the file is nested too deeply; settings of a run are one object with named fields") from None
    except ValueError:  # Python refuses to read an int of more than 4,300 digits.
        raise ValueError("the file holds a number with thousands of digits; no setting needs that") from None
    return given


def state_dict(state: RunState) -> dict[str, Tensor]:
    """Return the parameters as they stand now, under the names that the PyTorch program's model gives them.

    Example:
        >>> from lossviz.training import CLASSIC, init
        >>> state_dict(init(CLASSIC))
        {'0.weight': tensor([[0.]]), '0.bias': tensor([0.])}
    """
    if isinstance(state.network, RecurrentNetwork):
        parts = state.network.split(state.network.parameters)
        return {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in parts.items()}
    network = dense(state.network, "this file")
    found: dict[str, Tensor] = {}
    blocks = iter(zip(network.weights, network.biases, strict=True))
    norms = iter(network.norms)
    for number, layer in enumerate(layers(state.config)):
        named: dict[str, Tensor] = {}
        if layer.startswith("nn.Linear"):
            named["weight"], named["bias"] = next(blocks)
        elif layer.startswith("nn.BatchNorm1d"):
            norm = next(norms)
            named = {
                "weight": norm.scale[0],
                "bias": norm.shift[0],
                "running_mean": norm.mean[0],
                "running_var": norm.variance[0],
                "num_batches_tracked": torch.tensor(state.updates),
            }
        found |= {
            f"{number}.{name}": tensor.clone(memory_format=torch.contiguous_format) for name, tensor in named.items()
        }
    return found


def state_dict_bytes(state: RunState) -> bytes:
    """Return the parameters as a file for `torch.load(..., weights_only=True)` and `model.load_state_dict`.

    Example:
        >>> import io, torch
        >>> from lossviz.training import CLASSIC, init
        >>> list(torch.load(io.BytesIO(state_dict_bytes(init(CLASSIC))), weights_only=True))
        ['0.weight', '0.bias']
    """
    file = io.BytesIO()
    torch.save(state_dict(state), file)
    return file.getvalue()
