"""Damage to bytes: what disks, networks and cut-off writers do to a file, and what an enemy would."""

import struct
from collections.abc import Callable

import numpy as np

Random = np.random.Generator
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
"""Values at which whole numbers of some width break."""
PAGE = 512
"""Bytes that a disk loses at once."""


def _span(data: bytes, random: Random, longest: int) -> tuple[int, int]:
    """A place in the data and how many bytes from there, at least one where there are any."""
    start = int(random.integers(0, len(data)))
    return start, min(len(data), start + 1 + int(random.integers(0, longest)))


def flip(data: bytes, random: Random) -> bytes:
    """Turn over up to eight single bits."""
    out = bytearray(data)
    for _ in range(1 + int(random.integers(0, 8))):
        out[int(random.integers(0, len(out)))] ^= 1 << int(random.integers(0, 8))
    return bytes(out)


def burst(data: bytes, random: Random) -> bytes:
    """Put noise over a stretch."""
    start, stop = _span(data, random, 64)
    return data[:start] + random.bytes(stop - start) + data[stop:]


def cut(data: bytes, random: Random) -> bytes:
    """Leave off the end, as a writer that was killed does."""
    return data[: int(random.integers(0, len(data)))]


def insert(data: bytes, random: Random) -> bytes:
    """Put noise in between."""
    at = int(random.integers(0, len(data) + 1))
    return data[:at] + random.bytes(1 + int(random.integers(0, 32))) + data[at:]


def remove(data: bytes, random: Random) -> bytes:
    """Take a stretch out."""
    start, stop = _span(data, random, 256)
    return data[:start] + data[stop:]


def repeat(data: bytes, random: Random) -> bytes:
    """Write a stretch again, once or many times."""
    start, stop = _span(data, random, 256)
    times = int(random.choice([1, 2, 16, 200]))
    return data[:stop] + data[start:stop] * times + data[stop:]


def swap(data: bytes, random: Random) -> bytes:
    """Let two stretches change places."""
    a, b = sorted((_span(data, random, 128), _span(data, random, 128)))
    if a[1] > b[0]:
        return flip(data, random)
    return data[: a[0]] + data[b[0] : b[1]] + data[a[1] : b[0]] + data[a[0] : a[1]] + data[b[1] :]


def extreme(data: bytes, random: Random) -> bytes:
    """Write the extreme of some width over whatever stands there, most often where a header would be."""
    width, code = ((1, "B"), (2, "H"), (4, "I"), (8, "Q"))[int(random.integers(0, 4))]
    value = int(random.choice(np.array(EXTREMES, dtype=np.uint64))) % 2 ** (8 * width)
    room = len(data) if random.random() < 0.5 else min(len(data), 4 * PAGE)
    at = int(random.integers(0, max(1, room - width)))
    order = "<" if random.random() < 0.8 else ">"
    return data[:at] + struct.pack(order + code, value) + data[at + width :]


def zero(data: bytes, random: Random) -> bytes:
    """Lose a page to zeros, as a file system without power does."""
    at = int(random.integers(0, len(data))) // PAGE * PAGE
    return data[:at] + bytes(min(PAGE, len(data) - at)) + data[at + PAGE :]


MUTATORS: tuple[Callable[[bytes, Random], bytes], ...] = (
    flip,
    burst,
    cut,
    insert,
    remove,
    repeat,
    swap,
    extreme,
    zero,
)


def damaged(data: bytes, random: Random) -> bytes:
    """The data with one to four kinds of damage.

    Parameters
    ----------
    data : bytes
        A file.
    random : numpy.random.Generator
        Where chance comes from.
    """
    for _ in range(1 + int(random.integers(0, 4)) // 2):
        if data:
            data = MUTATORS[int(random.integers(0, len(MUTATORS)))](data, random)
    return data
