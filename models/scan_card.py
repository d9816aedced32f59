"""The card of a bundle that judges whole scans: what goes in, what comes out, what it was worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from models.errors import BundleError

SCAN_FORMAT = "scan 1"


@dataclass(frozen=True, kw_only=True)
class ScanInput:
    """What a scan must be, to be judged.

    Parameters
    ----------
    regions : sequence of str
        Names, in the order in which the system takes them.
    preprocessing : str
        Atlas and preprocessing of the training scans, in words.
    least_s : float
        Shortest scan, s.
    repetition_time : sequence of 2 floats
        Least and greatest, s.
    most_masked : float
        Largest share of regions that may be constant or absent, 0 to 1.
    """

    regions: Sequence[str]
    preprocessing: str
    least_s: float
    repetition_time: Sequence[float]
    most_masked: float


@dataclass(frozen=True, kw_only=True)
class ScanCard:
    """What is to be known of a system for whole scans besides its numbers; JSON types only.

    Parameters
    ----------
    system : sequence of mapping
        Layout of `models.scan_model.ScanModel`.
    input : mapping
        A `ScanInput` by its fields.
    labels : sequence of str
        In the order of the logits.
    study : mapping
        Name, title, paper, and what was done.
    training, evaluation, versions : mapping
        On whom it was fitted, what it was worth on people it had not seen, and with which software.
    weights_sha256, hash : str
        Hexadecimal; filled in by `write_scan_bundle`.
    format : str
        Version of this form.
    """

    system: Sequence[Mapping[str, Any]]
    input: Mapping[str, Any]
    labels: Sequence[str]
    study: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    hash: str = ""
    format: str = SCAN_FORMAT

    def to_json(self) -> dict[str, Any]:
        """All fields by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def needs(self) -> ScanInput:
        """The input as an object."""
        return ScanInput(**self.input)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Undo `to_json`.

        Raises
        ------
        BundleError
            A field is missing, unknown or of another type.
        """
        if values.get("format") != SCAN_FORMAT:
            raise BundleError(
                f"The bundle's format is {values.get('format')!r}; this version of hemostream reads "
                f"whole-scan bundles of format {SCAN_FORMAT!r}. Take the version that wrote "
                "it, or export it again."
            )
        names = {each.name for each in fields(cls)}
        if names != set(values):
            raise BundleError(
                f"The card lacks {sorted(names - set(values))} and has unknown "
                f"{sorted(set(values) - names)}; it was not written by hemostream. Export it again."
            )
        card = cls(**values)
        card._check()
        return card

    def _check(self) -> None:
        for name in ("input", "study", "training", "evaluation", "versions"):
            _expect(isinstance(getattr(self, name), Mapping), name, getattr(self, name), "an object")
        for name in ("weights_sha256", "hash"):
            _expect(isinstance(getattr(self, name), str), name, getattr(self, name), "text")
        _expect(isinstance(self.system, list | tuple), "system", self.system, "a list")
        _expect(_names(self.labels) and len(self.labels) > 1, "labels", self.labels, "unlike names")
        wanted = {each.name for each in fields(ScanInput)}
        _expect(set(self.input) == wanted, "input", sorted(self.input), sorted(wanted))
        needs = self.needs
        _expect(_names(needs.regions), "input.regions", needs.regions, "unlike names")
        _expect(isinstance(needs.preprocessing, str), "input.preprocessing", needs.preprocessing, "text")
        _expect(
            _number(needs.least_s) and needs.least_s > 0, "input.least_s", needs.least_s, "seconds above 0"
        )
        times = needs.repetition_time
        fine = isinstance(times, list | tuple) and len(times) == 2 and all(map(_number, times))
        _expect(
            fine and 0 < times[0] <= times[1], "input.repetition_time", times, "two rising times in seconds"
        )
        share = needs.most_masked
        _expect(_number(share) and 0 <= share < 1, "input.most_masked", share, "a share from 0 to below 1")


def _expect(fine: bool, what: str, found: Any, expected: Any) -> None:
    if not fine:
        raise BundleError(f"Card: {what} is {str(found)[:200]!r}; expected {expected}.")


def _names(values: Any) -> bool:
    listed = isinstance(values, list | tuple) and all(isinstance(each, str) and each for each in values)
    return listed and 0 < len(set(values)) == len(values)


def _number(value: Any) -> bool:
    # Compared, not converted: JSON holds whole numbers that no float can.
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e12 < value < 1e12
