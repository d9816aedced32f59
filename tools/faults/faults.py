"""What can be wrong with a source, and when: `Fault`, as it is written on a command line.

``gap:at=20,seconds=5`` is a gap from stream second 20 on.  Times are stream seconds from the first
sample.  `tools.faults.schedule` says what a fault does to the samples of its time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.errors import StreamError, near_match

KINDS: Mapping[str, str] = {
    "gap": "samples are not sent",
    "freeze": "samples are held back, and come in one burst at the end",
    "duplicates": "every other sample is sent twice",
    "disorder": "every other sample comes before the one that precedes it",
    "nan": "values are not a number",
    "inf": "values are infinite",
    "saturation": "values stand at the converter's limit",
    "flat": "values stand still",
    "jitter": "stamps are off by up to 'by' seconds (0.1) either way",
    "clock": "the device's clock is off by 'by' seconds (1000), and stays so until the end of the fault",
}
SPOILS = frozenset({"nan", "inf", "saturation", "flat"})
"""Faults after which a channel's value is worth nothing."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong for a time.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    at, seconds : float
        From when on and for how long, stream seconds from the first sample.
    values : mapping of str to float
        ``share`` of the channels that it hits (1), ``by`` how much.
    """

    kind: str
    at: float
    seconds: float
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def end(self) -> float:
        """When it is over, stream seconds."""
        return self.at + self.seconds

    def covers(self, second: float) -> bool:
        """Whether a moment (stream s) lies in it."""
        return self.at <= second < self.end

    def value(self, name: str, otherwise: float) -> float:
        """A setting, or what it is where none was given."""
        return self.values.get(name, otherwise)

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Read one as it is written.

        Raises
        ------
        StreamError
            It is no fault; says what is possible.
        """
        kind, _, rest = text.partition(":")
        if kind not in KINDS:
            raise StreamError(f"Fault {kind!r} is not known. {near_match(kind, list(KINDS))}")
        values: dict[str, float] = {}
        for part in filter(None, rest.split(",")):
            name, _, number = part.partition("=")
            try:
                values[name] = float(number)
            except ValueError:
                raise StreamError(
                    f"Fault {text!r}: {part!r} is no setting; expected at=SECONDS, seconds=SECONDS, "
                    "by=NUMBER or share=NUMBER."
                ) from None
        if unknown := set(values) - {"at", "seconds", "by", "share"}:
            raise StreamError(f"Fault {text!r} has {sorted(unknown)}; expected at, seconds, by, share.")
        return cls(kind, values.pop("at", 0.0), values.pop("seconds", float("inf")), values)


def in_force(faults: Sequence[Fault], second: float) -> list[Fault]:
    """The faults that cover a moment (stream s)."""
    return [fault for fault in faults if fault.covers(second)]
