"""What a device, a neighbour's program or an enemy may send to a bed: stamps, counts, markers, messages.

Every value follows from the generator that is handed in, so that what went wrong can be had again.
"""

from typing import Any

import numpy as np
import pylsl

from models.arrays import Floats
from tools.fuzz import texts
from tools.fuzz.damage import Random, damaged

STAMPS = (
    float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e19, -1e19, 1.7e18, 1.7e15, 1.7e12, 1.7e9, 3.9e9,
    1.3e10, 6.4e10, 1e11, 1.0000001e11, 1e308, -1e308, 5e-324, 2.0**53, 2.0**63, 2.0**64, 1e10, -1e10,
)  # fmt: skip
"""Stamps that no clock gives, and such of other epochs."""
COUNTS = (
    float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 0.5, 255.0, 256.0, 65535.0, 65536.0, 2.0**24 - 1,
    2.0**24, 2.0**24 + 2, 2.0**31, 2.0**32 - 1, 2.0**53 - 1, 2.0**53, 2.0**53 + 2, 2.0**63, 1e300, -1e300,
)  # fmt: skip
VALUES = (
    float("nan"), float("inf"), -float("inf"), 0.0, -0.0, -1.0, 1e-320, 1e-30, 1e14, 1e16, 1e30, 1e150, 1e300,
    1.7e308, -1.7e308,
)  # fmt: skip
BITS = (
    "[/red]", "[bold]", "\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x00", "\x01", "\n", "\r", "\u202e",
    "\u2028", "\ufeff", "\ud800", "'", '"', "&", "<", ">", "]]>", "%s", "{0}", "../../etc", "x" * 300, "é",
    "脳", "🧠", "NaN", "/", "#", "+", "$SYS", " ", "", "true", "1e400",
)  # fmt: skip
"""Of which names, labels and texts are made."""
RATES = (0.0, 10.0, 1e-300, 1e-9, 0.01, 1e5, 1e9, 1e308)


def one_of(random: Random, values: tuple[Any, ...]) -> Any:
    """One of them."""
    return values[int(random.integers(0, len(values)))]


def name(random: Random) -> str:
    """A name as somebody might choose it."""
    return "".join(one_of(random, BITS) for _ in range(1 + int(random.integers(0, 4))))


def stamps(good: Floats, random: Random) -> Floats:
    """Stamps of which some are not what a clock gives.

    Parameters
    ----------
    good : (n_samples,) float64, s
        What they should be.
    random : numpy.random.Generator
        Where chance comes from.
    """
    bad = good.copy()
    where = random.random(len(good)) < one_of(random, (0.05, 0.5, 1.0))
    if not where.any():
        where[int(random.integers(0, len(good)))] = True
    match int(random.integers(0, 7)):
        case 0:
            bad[where] = one_of(random, STAMPS)
        case 1:
            bad[where] = [one_of(random, STAMPS) for _ in range(int(where.sum()))]
        case 2:  # another epoch or unit, going on as it should
            bad[where] = good[where] * one_of(random, (1e3, 1e6, 1e9)) + one_of(random, (0.0, 1.7e9, 1.7e18))
        case 3:
            bad[where] += random.choice([-1, 1]) * 10.0 ** random.uniform(-1, 12)
        case 4:
            bad = bad[::-1].copy()
        case 5:
            bad[:] = bad[0]
        case _:
            bad += random.normal(size=len(good)) * 10.0 ** random.uniform(-2, 4)
    return bad


def counts(good: Floats, random: Random) -> Floats:
    """A device's counts of which some are not what a counter gives.

    Parameters
    ----------
    good : (n_samples,) float64
        What they should be.
    random : numpy.random.Generator
        Where chance comes from.
    """
    bad = good.copy()
    match int(random.integers(0, 6)):
        case 0:
            bad[:] = one_of(random, COUNTS)
        case 1:
            bad[random.random(len(bad)) < 0.3] = one_of(random, COUNTS)
        case 2:
            with np.errstate(over="ignore"):
                bad = (bad + one_of(random, COUNTS)).astype(np.float32).astype(np.float64)
        case 3:
            bad = bad[::-1].copy()
        case 4:
            bad *= one_of(random, (2.0, 0.5, -1.0, 1e300, 1e-300))
        case _:
            bad = np.array([one_of(random, COUNTS) for _ in bad])
    return bad


def marker(random: Random) -> bytes:
    """What a marker stream sends: text, or no text at all."""
    text = name(random).encode("utf-8", "surrogatepass")
    match int(random.integers(0, 4)):
        case 0:
            return damaged(text, random) if text else b"\xff"
        case 1:
            return random.bytes(1 + int(random.integers(0, 40)))
        case 2:
            return text * int(one_of(random, (1, 10, 3000)))
        case _:
            return text


def retained(status: str, random: Random) -> bytes:
    """A retained message where a session's status should be.

    Parameters
    ----------
    status : str
        A good one.
    random : numpy.random.Generator
        Where chance comes from.
    """
    match int(random.integers(0, 4)):
        case 0:
            runs = ("Infinity", "-Infinity", "NaN", "9223372036854775807", "1e400", "-1", "9" * 500)
            run = one_of(random, runs)
            return b'{"schema":1,"run":' + run.encode() + b"}"
        case 1 if random.random() < 0.1:
            return one_of(random, ("[", '{"run":', '{"a":[')).encode() * texts.DEEP
        case 1 | 2:
            return texts.json_text(status, random).encode("utf-8", "surrogatepass")
        case _:
            return damaged(status.encode(), random)


def header(channels: int, random: Random) -> pylsl.StreamInfo:
    """A stream's header as liblsl makes it of whatever it is given."""
    safe = [name(random).replace("\x00", "").encode("utf-8", "replace").decode() or "x" for _ in range(3)]
    rate = one_of(random, RATES)
    count = int(one_of(random, (1, 2, channels, channels, 300)))
    kind = one_of(random, ("float32", "double64", "string", "int32"))
    info = pylsl.StreamInfo(safe[0], one_of(random, ("NIRS", safe[1])), count, rate, kind, safe[2])
    desc = info.desc()
    for _ in range(int(random.integers(0, 4))):
        child = desc.append_child(one_of(random, ("channels", "channel", "hemostream", "x", "a b")))
        text = name(random).replace("\x00", "").encode("utf-8", "replace").decode()
        child.append_child_value(one_of(random, ("label", "type", "unit", "origin", "speed", "1<")), text)
    return info
