"""`Signals`: a second or so of a session's signals, for whoever draws them, and how good each channel is.

Its JSON form is published as ``signals.schema.json`` beside ``decision.schema.json``.  It is a view: nothing
is decided from it, and a message that could not be sent at once is never sent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Self

from models.decode import decode_message
from models.errors import MessageError

Values = Sequence[float | None]
"""One number a time or a channel; None where nothing was measured or it cannot be known."""
RAW, PROCESSED = "raw", "processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsQuality:
    """How good each of the network's channels was in the last window, held against the model's policy.

    Parameters
    ----------
    window_start, window_end : float
        Stream time (s): ``[start, end)``.
    window_reasons : sequence of str
        Why the window as a whole could not be used; empty where it could (whatever was decided of it).
    reasons : mapping of str to sequence of str
        Channels that the policy finds bad, and all reasons why; others are good.
    coverage, scalp_coupling, peak_power, flat_s, saturated, moving : (n_channels,) values
        What was measured (`realtime.quality.policy.ChannelMeasurement`), in the order of the processed
        channels; None where it cannot be known.
    """

    window_start: float
    window_end: float
    window_reasons: Sequence[str]
    reasons: Mapping[str, Sequence[str]]
    coverage: Values
    scalp_coupling: Values
    peak_power: Values
    flat_s: Values
    saturated: Values
    moving: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What came of a session's signals since the last such message.

    Parameters
    ----------
    session, run : str, int
        Whose.
    revision : int
        Of the `realtime.messages.channels.ChannelList` whose rows these are.
    sequence : int
        Grows by one a message that was made; one that is missing was dropped.
    dropped : int
        Messages that could not be sent since the start: no broker, or one that took them too slowly.
    stage : str
        ``raw``, what goes into the pipeline, until that gives something (its baseline is over); then
        ``processed``, what comes out of it.
    interval_s : float
        Width of a time's place on the grid, s; a step between times of more than 1.5 of them is a gap.
    times : (n_times,) values
        Stream time, s, rising.
    times_utc : (n_times,) texts, or None
        The same, ISO 8601; None where the stream's clock has no known UTC.
    low : (n_channels, n_times) values
        In each channel's unit.  Where ``high`` is given, the least value of the interval.
    high : (n_channels, n_times) values, or None
        The greatest value of the interval; None where each time is one sample, and ``low`` its values.
    quality : ChannelsQuality or None
        Of the last window; None where none was completed since the last message.
    """

    session: str
    run: int
    revision: int
    sequence: int
    dropped: int
    stage: str
    interval_s: float
    times: Sequence[float]
    times_utc: Sequence[str] | None
    low: Sequence[Values]
    high: Sequence[Values] | None
    quality: ChannelsQuality | None

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        # Not asdict of the whole: it copies every value, and takes longer than the rest.
        values = {name: getattr(self, name) for name in _FIELDS}
        values["quality"] = None if self.quality is None else asdict(self.quality)
        return json.dumps({"schema": 1, **values}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            These are no signals of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="These are no signals")


_FIELDS = tuple(field.name for field in fields(Signals))
