"""The lossless extension: what another format cannot hold of a signal's description, kept with it.

LSL, SNIRF and MNE each have standard fields for part of what a `Channel` holds.  A writer fills
those, reads them back as a stranger would, and stores only what came back different, as
JSON.  So a stranger reads the standard fields and we read everything.

An extension belongs to one description.  If the standard part was changed afterwards (other
channels, another order), it no longer fits and is ignored.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from models.errors import SignalError
from realtime.signal import Channel, Kind, SignalSpec

_FIELDS = tuple(field.name for field in fields(Channel))


def lossless_extension(spec: SignalSpec, read: Sequence[Channel | None], read_rate: float) -> str:
    """What a stranger's reading lacks of a signal.

    Parameters
    ----------
    spec : SignalSpec
        The signal.
    read : sequence of Channel or None
        What the standard fields give back for each of its channels; None where nothing.
    read_rate : float
        The rate that they give (Hz).

    Returns
    -------
    str
        JSON, for `restored`.
    """
    lacking = []
    for channel, base in zip(spec.channels, read, strict=True):
        own = channel.to_json()
        theirs = {} if base is None else base.to_json()
        lacking.append({name: own.get(name) for name in _FIELDS if own.get(name) != theirs.get(name)})
    kept: dict[str, Any] = {"of": _digest(read), "channels": lacking}
    if spec.rate != read_rate:
        kept["rate"] = spec.rate
    return json.dumps(kept, separators=(",", ":"))


def restored(kept: str, read: Sequence[Channel | None], read_rate: float) -> SignalSpec | None:
    """Undo `lossless_extension`.

    Parameters
    ----------
    kept : str
        What `lossless_extension` gave.
    read : sequence of Channel or None
        What the standard fields give now.
    read_rate : float
        The rate that they give (Hz).

    Returns
    -------
    SignalSpec or None
        The signal; None where the extension is damaged or belongs to another description.
    """
    try:
        values = json.loads(kept)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or values.get("of") != _digest(read):
        return None
    try:
        both = zip(read, values["channels"], strict=True)
        channels = tuple(_completed(base, more) for base, more in both)
        return SignalSpec(channels, float(values.get("rate", read_rate)))
    except (SignalError, KeyError, TypeError, ValueError, AttributeError):
        # JSON of the right form that a person or a program has changed: not ours any more.
        return None


def _completed(base: Channel | None, more: Mapping[str, Any]) -> Channel:
    """One channel from its standard part and what that lacks."""
    merged = {**({} if base is None else base.to_json()), **more}
    return Channel.from_json({name: value for name, value in merged.items() if value is not None})


def _digest(read: Sequence[Channel | None]) -> str:
    """Which channels an extension belongs to: their names and kinds, in order."""
    named = [None if channel is None else (channel.name, Kind(channel.kind)) for channel in read]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]
