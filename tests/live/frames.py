"""Frames taken apart, as the browser does it."""

import json
import math
import struct
from typing import Any

import numpy as np


def unpack(frame: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return header and arrays of a binary frame."""
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    start = 8 * math.ceil((4 + length) / 8)
    arrays = {}
    for entry in header["arrays"]:
        count = math.prod(entry["shape"])
        flat = np.frombuffer(frame, entry["dtype"], count, start + entry["offset"])
        arrays[entry["name"]] = flat.reshape(entry["shape"])
    return header, arrays
