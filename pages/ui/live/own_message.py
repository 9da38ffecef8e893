"""Own data on its way: packed for the browser, which sends it before it opens a run, and checked when it comes back."""

import json
import math
import struct
from typing import Any, Final

import numpy as np

from lossviz.datasets.own_points import BYTES_HIGH, OwnPoints
from lossviz.training.checks import shorten
from pages.ui.live.protocol import pack

#: Longest header: 500 features with long names fit.
HEADER_BYTES: Final = 500_000
MESSAGE_BYTES: Final = BYTES_HIGH + HEADER_BYTES
_NAMES: Final = ("feature_names", "classes")
_FIELDS: Final = frozenset({"key", *_NAMES, "target_name", "task", "column", "arrays"})
_ARRAY: Final = frozenset({"name", "dtype", "shape", "offset"})


def pack_points(points: OwnPoints) -> bytes:
    """Return own data as one message: a header with the names, then features and targets as float32."""
    header = {
        "key": points.key,
        "feature_names": points.feature_names,
        "target_name": points.target_name,
        "task": points.task,
        "classes": points.classes,
        "column": points.column,
    }
    return pack(header, {"x": points.x.astype("<f4"), "y": points.y.astype("<f4")})


def read_points(data: bytes) -> OwnPoints:
    """Read what `pack_points` wrote.

    Raises:
        ValueError: it is no such message; says which part, what it is and what is allowed.
    """
    header, start = _header(data)
    arrays = header["arrays"]
    if not isinstance(arrays, list) or len(arrays) != 2:
        raise ValueError(f"the own data's arrays are {shorten(arrays)}; x and y are needed")
    x, end = _array(data, start, arrays[0], "x", 2)
    y, end = _array(data, end, arrays[1], "y", 1)
    if end != len(data):
        raise ValueError(f"the own data has {len(data):,} bytes; its header promises {end:,}")
    for name in _NAMES:
        if not isinstance(header[name], list):
            raise ValueError(f"{name} of the own data is {shorten(header[name])}; a list of texts is allowed")
    if not isinstance(header["task"], str):
        raise ValueError(f"task of the own data is {shorten(header['task'])}; a text is allowed")
    points = OwnPoints(
        x,
        y,
        tuple(header["feature_names"]),
        header["target_name"],
        header["task"],  # type: ignore[arg-type]  # checked by OwnPoints
        tuple(header["classes"]),
        header["column"],
    )
    if header["key"] != points.key:
        raise ValueError(f"the own data is called {shorten(header['key'])}, and its numbers make {points.key}")
    return points


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header, and where the arrays begin."""
    if len(data) < 4:
        raise ValueError(f"the own data has {len(data)} bytes; a header and two arrays are needed")
    (length,) = struct.unpack_from("<I", data)
    if length > min(HEADER_BYTES, len(data) - 4):
        raise ValueError(f"the own data's header has {length:,} bytes; at most {HEADER_BYTES:,} that are there")
    try:
        header = json.loads(data[4 : 4 + length])
    except RecursionError:
        raise ValueError("the own data's header is nested too deeply; an object is allowed") from None
    except ValueError as error:
        raise ValueError(f"the own data's header is not JSON: {error}") from None
    if not isinstance(header, dict) or set(header) != _FIELDS:
        raise ValueError(f"the own data's header is {shorten(header)}; an object with {sorted(_FIELDS)} is needed")
    return header, 8 * math.ceil((4 + length) / 8)


def _array(data: bytes, start: int, described: Any, name: str, dimensions: int) -> tuple[np.ndarray, int]:
    """An array that must begin at `start`, and where the next one does."""
    problem = f"the own data's {name} is {shorten(described)}; "
    if not isinstance(described, dict) or set(described) != _ARRAY or described["name"] != name:
        raise ValueError(f"{problem}an array of that name is needed")
    shape = described["shape"]
    whole = isinstance(shape, list) and all(type(size) is int and 0 <= size <= BYTES_HIGH for size in shape)
    if described["dtype"] != "float32" or not whole or len(shape) != dimensions:
        raise ValueError(f"{problem}float32 with {dimensions} dimensions is needed")
    size = 4 * math.prod(shape)
    if start + size > len(data):
        raise ValueError(f"{problem}there are {max(0, len(data) - start):,} bytes for it")
    values = np.frombuffer(data, "<f4", math.prod(shape), start).astype(np.float32)
    return values.reshape(shape), start + size + -size % 8
