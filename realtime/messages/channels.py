"""`ChannelList`: what the rows of the signals are; published retained, anew whenever a stream is opened.

Its JSON form is published as ``channels.schema.json`` beside ``decision.schema.json``.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from models.decode import decode_message
from models.errors import MessageError
from realtime.signal import SignalSpec

MOST_BYTES = 2**18
"""No message is longer: of more channels the last are left out, and counted."""
STANDARDISED = "SD"
"""The unit of channels that a stage has standardised."""
Mirrored = Callable[[SignalSpec], Iterable[tuple[int, int]]]
"""Which rows of a signal are homologous channels (`realtime.stages.homologues.mirrored`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The channels of one place of the pipeline, in order.

    Parameters
    ----------
    rate : float
        Nominal, Hz; 0 where none is declared.
    channels : sequence of mappings
        Each as `realtime.signal.Channel.to_json` gives it, SI units, what is not known left out; with
        ``mirror``, the name of the channel at the same place of the other hemisphere, where there is one.
    """

    rate: float = 0.0
    channels: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def of(cls, spec: SignalSpec, mirrored: Mirrored, *, standardised: bool = False) -> Self:
        """The rows of a signal; where it was standardised their unit is ``SD``."""
        unit = {"unit": STANDARDISED} if standardised else {}
        partner = {}
        for left, right in mirrored(spec):
            partner[left], partner[right] = spec.names[right], spec.names[left]
        channels = tuple(
            {**channel.to_json(), **unit, **({"mirror": partner[row]} if row in partner else {})}
            for row, channel in enumerate(spec.channels)
        )
        return cls(rate=spec.rate, channels=channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelList:
    """What the rows of a session's signals are.

    Parameters
    ----------
    session, run : str, int
        Whose.
    revision : int
        Grows by one whenever they change; `realtime.messages.signals.Signals` names it.
    stream : str
        Name of the stream.
    origin : str
        ``live``, ``replayed`` or ``simulated``.
    speed : float
        Stream seconds a local second.
    raw, processed : Rows
        What goes into the pipeline, and what comes out of it.
    left_out : int
        Channels of ``raw`` and ``processed`` together that had no room; none of them has signals.
    """

    session: str
    run: int
    revision: int
    stream: str
    origin: str
    speed: float
    raw: Rows = field(default_factory=Rows)
    processed: Rows = field(default_factory=Rows)
    left_out: int = 0

    @classmethod
    def of(
        cls,
        raw: SignalSpec,
        processed: SignalSpec,
        mirrored: Mirrored,
        *,
        standardised: bool = False,
        **stream: Any,
    ) -> Self:
        """The channels of a stream, as many as a message holds; all other fields by keyword."""
        after = Rows.of(processed, mirrored, standardised=standardised)
        whole = cls(raw=Rows.of(raw, mirrored), processed=after, **stream)
        most = max(len(raw), len(processed))
        kept = whole
        while len(kept.to_json().encode()) > MOST_BYTES and most > 1:
            most //= 2
            kept = whole.first(most)
        return kept

    def first(self, most: int) -> Self:
        """Only the first channels of each place."""
        raw, processed = self.raw.channels[:most], self.processed.channels[:most]
        before = len(self.raw.channels) + len(self.processed.channels)
        return replace(
            self,
            raw=replace(self.raw, channels=raw),
            processed=replace(self.processed, channels=processed),
            left_out=self.left_out + before - len(raw) - len(processed),
        )

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the fields."""
        return json.dumps({"schema": 1, **asdict(self)}, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Undo `to_json`.

        Raises
        ------
        MessageError
            These are no channels of this schema.
        """
        return decode_message(cls, text, error=MessageError, what="These are no channels")
