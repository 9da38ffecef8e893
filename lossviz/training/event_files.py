"""The scalars of a TensorBoard event file, read without TensorBoard.

An event file is a row of TFRecords, each holding one `Event` protocol buffer; the few fields needed here are

    Event: 2 step (varint), 5 summary          Summary: 1 value (repeated)
    Value: 1 tag, 2 simple_value (float), 8 tensor
    TensorProto: 1 dtype, 4 tensor_content, 5 float_val, 6 double_val, 7 int_val, 10 int64_val

References: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto and
lib/io/record_writer.cc in github.com/tensorflow/tensorflow; protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

# Castagnoli's polynomial, bits reversed.
_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
# The numbers of types that a scalar may have: number of the field that lists its values, and its format.
_DTYPES = {1: (5, "<f"), 2: (6, "<d"), 3: (7, "<i"), 9: (10, "<q")}

Field = tuple[int, int | bytes]


class CutOffError(ValueError):
    """The file ends within a record, as it does while the run is still being written."""


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _table()


def masked_crc32c(data: bytes) -> int:
    """Return the check sum that follows the length and the data of a TFRecord.

    Example:
        >>> from lossviz.training.event_files import masked_crc32c
        >>> hex(masked_crc32c(b"123456789"))  # the unmasked sum is the standard's 0xe3069283
        '0xc78ab0e5'
    """
    table, crc = _TABLE, 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def is_event_file(data: bytes) -> bool:
    """Return whether data begins as a TFRecord does: with a length and its check sum."""
    return len(data) >= 12 and struct.unpack_from("<I", data, 8)[0] == masked_crc32c(data[:8])


def scalars(data: bytes) -> Iterator[tuple[int, str, int, float]]:
    """Yield number of the record, tag, step and value of every scalar, in the order of the file.

    Summaries of other kinds (histograms, images, texts, tensors of several numbers) are passed over.

    Raises:
        CutOffError: the file ends within a record; all before it has been given by then.
        ValueError: a record's check sum is wrong, or it is no event.
    """
    for number, record in enumerate(_records(data), start=1):
        try:
            yield from ((number, *scalar) for scalar in _event(record))
        except (ValueError, struct.error):
            raise ValueError(f"record {number} is not an event of TensorBoard") from None


def _records(data: bytes) -> Iterator[bytes]:
    place, number = 0, 0
    while place < len(data):
        number += 1
        if place + 12 > len(data):
            raise CutOffError(f"record {number} is cut off")
        length, check = struct.unpack_from("<QI", data, place)
        if check != masked_crc32c(data[place : place + 8]):
            raise ValueError(f"record {number} is damaged: the check sum of its length is wrong")
        start, stop = place + 12, place + 12 + length
        if stop + 4 > len(data):
            raise CutOffError(f"record {number} is cut off")
        record = data[start:stop]
        if struct.unpack_from("<I", data, stop)[0] != masked_crc32c(record):
            raise ValueError(f"record {number} is damaged: its check sum is wrong")
        yield record
        place = stop + 4


def _event(record: bytes) -> list[tuple[str, int, float]]:
    step, found = 0, []
    for field, content in _fields(record):
        if field == 2:
            step = _signed(content)
        elif field == 5:
            values = (_fields(_bytes(value)) for part, value in _fields(_bytes(content)) if part == 1)
            found += [scalar for value in values if (scalar := _scalar(value)) is not None]
    return [(tag, step, value) for tag, value in found]


def _scalar(fields: Iterator[Field]) -> tuple[str, float] | None:
    tag, value = "", None
    for field, content in fields:
        if field == 1:
            tag = _bytes(content).decode("utf-8")
        elif field == 2:
            value = float(struct.unpack("<f", _bytes(content))[0])
        elif field == 8:
            value = _tensor(_bytes(content))
    return None if value is None else (tag, value)


def _tensor(data: bytes) -> float | None:
    """Return the one number of a tensor, or None if it is no scalar."""
    fields = list(_fields(data))
    dtype = next((content for field, content in fields if field == 1), 0)
    if not isinstance(dtype, int) or dtype not in _DTYPES:
        return None
    own, form = _DTYPES[dtype]
    found: list[float] = []
    for field, content in fields:
        if field == 4:
            found += _unpack(form, _bytes(content))
        elif field == own and isinstance(content, int):
            found.append(_signed(content))
        elif field == own and dtype in (1, 2):
            found += _unpack(form, _bytes(content))
        elif field == own:
            found += _varints(_bytes(content))
    return float(found[0]) if len(found) == 1 else None


def _unpack(form: str, content: bytes) -> list[float]:
    return [value for (value,) in struct.iter_unpack(form, content)]


def _fields(data: bytes) -> Iterator[Field]:
    """Yield number and content of a message's fields: whole numbers for varints, bytes for all else."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == 0:
            value, place = _varint(data, place)
            yield key >> 3, value
            continue
        if kind == 2:
            length, place = _varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if place + length > len(data):
            raise ValueError("cut off")
        yield key >> 3, data[place : place + length]
        place += length


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(10):
        if place + count >= len(data):
            raise ValueError("cut off")
        byte = data[place + count]
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place + count + 1
    raise ValueError("a number of more than 10 bytes")


def _varints(data: bytes) -> list[int]:
    place, found = 0, []
    while place < len(data):
        value, place = _varint(data, place)
        found.append(_signed(value))
    return found


def _signed(content: int | bytes) -> int:
    if isinstance(content, bytes):
        raise ValueError("bytes where a number belongs")
    return content - (1 << 64) if content >> 63 else content


def _bytes(content: int | bytes) -> bytes:
    if isinstance(content, int):
        raise ValueError("a number where bytes belong")
    return content
