"""The streams of an XDF file, and which of them is meant.

A stream is named as in a session (`realtime.sources.stream_choice`): by its name, its source_id, its uid,
with or without the word before it (``source_id=42``), a predicate such as ``type='NIRS' and
source_id='42'`` as LSL's resolver takes it, and in a file also by its number there.  Streams that hold
nothing do not compete with those that do.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from models.arrays import Floats
from models.errors import RecordingError, StreamError
from realtime.devices import companion_of
from realtime.sources.stream_choice import TYPES, By, Wanted, parse

_TYPES = {one.lower() for one in TYPES}


@dataclass(frozen=True, eq=False)
class XdfStream:
    """One stream of a file."""

    info: ET.Element  # header with description
    values: Any  # as sent: (n_samples, n_channels), or a list of texts a sample
    times: Floats  # (n_samples,): s on the recorder's clock
    compared: Floats  # (n_measurements,): when the clocks were compared, s on the recorder's own clock
    uncertainty: Floats  # (n_samples,): how wrong those comparisons may leave each time, s
    clock_remarks: tuple[str, ...] = ()  # what a person should know of them
    declared: int | None = None  # samples that its footer says there are; None where it has no footer

    @property
    def lost(self) -> int:
        """Samples that the footer declares and the file does not give."""
        return max(0, (self.declared or 0) - len(self.times))

    @property
    def name(self) -> str:
        """Its name."""
        return self.info.findtext("name", "")

    @property
    def kind(self) -> str:
        """Its LSL content type."""
        return self.info.findtext("type", "")

    @property
    def rate(self) -> float:
        """Its nominal rate (Hz), 0 where it has none."""
        return float(self.info.findtext("nominal_srate", "0"))

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.info.findtext("channel_format") == "string"

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers by their format."""
        return self.info.findtext("channel_format", "").startswith("int")


def choose_signal(streams: Sequence[XdfStream], wanted: str | None, path: Path) -> XdfStream:
    """The haemodynamic stream that the user asked for, by default the one of type NIRS.

    A RecordingError lists the streams where none or several fit, or what fits is empty.
    """
    numeric = [one for one in streams if not one.is_text]
    if wanted is None:
        fits = _with_samples(_signals([one for one in numeric if one.kind.lower() in _TYPES]))
        sought = "has type NIRS"
    else:
        fits = _signals(_named(numeric, wanted))
        sought = f"is called {wanted!r}, nor has that source_id, uid or number"
    if not fits:
        raise RecordingError(f"{path}: no stream {sought}. Streams: {listed(streams)}.")
    if len(fits) > 1:
        raise several(fits, "--stream", path)
    if not len(fits[0].times):
        raise RecordingError(f"{path}: stream {listed(fits)} is empty. Streams: {listed(streams)}.")
    return fits[0]


def choose_markers(streams: Sequence[XdfStream], wanted: str, path: Path) -> list[XdfStream]:
    """The streams (of those that are not the signal) that the user asked for: one, or several alike.

    A RecordingError lists the streams where none fits.
    """
    if fits := _named(streams, wanted):
        return fits
    raise RecordingError(
        f"{path}: no marker stream is called {wanted!r}, nor has that source_id, uid or number. "
        f"Streams: {listed(streams) or 'none but the signal'}."
    )


def listed(streams: Sequence[XdfStream]) -> str:
    """Streams in one line: number, type, size, source_id; uid too where the others are alike."""
    alike = [(one.name, one.info.findtext("source_id", "")) for one in streams]
    return ", ".join(
        f"{one.name!r} (type {one.kind}, {one.info.findtext('channel_count', '?')} channels, "
        f"{one.rate:.4g} Hz, number {_number(one)}, source_id {one.info.findtext('source_id', '')!r}, "
        + (f"uid {one.info.findtext('uid', '')}, " if alike.count(key) > 1 else "")
        + f"{len(one.times)} samples)"
        for one, key in zip(streams, alike, strict=True)
    )


def several(fits: Sequence[XdfStream], option: str, path: Path) -> RecordingError:
    """The error where several streams fit."""
    return RecordingError(
        f"{path}: {len(fits)} streams fit; choose one with {option}, by its name, source_id, uid or number. "
        f"They are {listed(fits)}."
    )


def _number(one: XdfStream) -> str:
    return one.info.findtext("stream_id", "?")


def _signals(streams: Sequence[XdfStream]) -> list[XdfStream]:
    """Without what a device sends beside its signal (statistics, motion); all where nothing else is there."""
    return [one for one in streams if not companion_of(one.info)] or list(streams)


def _with_samples(streams: Sequence[XdfStream]) -> list[XdfStream]:
    """Those that hold samples; all where none does."""
    return [one for one in streams if len(one.times)] or list(streams)


def _named(streams: Sequence[XdfStream], wanted: str) -> list[XdfStream]:
    """The streams that a person's word fits, by the first way in which it fits any."""
    ways: list[Callable[[XdfStream], bool]] = [
        lambda one: one.name == wanted,
        lambda one: one.info.findtext("source_id", "") == wanted,
        lambda one: one.info.findtext("uid", "") == wanted,
        lambda one: _number(one) == wanted.removeprefix("#"),
    ]
    if (field := _field(wanted)) is not None:
        ways.append(lambda one: one.info.findtext(field.by.value, "").strip() == field.value)
    if (predicate := _predicate(wanted)) is not None:
        ways.append(lambda one: predicate(one.info))
    ways.append(lambda one: wanted.lower() in one.name.lower())
    for way in ways:
        if wanted and (fits := [one for one in streams if way(one)]):
            return _with_samples(fits)
    return []


def _field(text: str) -> Wanted | None:
    """A name, source_id or uid as a session takes it, quotes or none; None where it is something else."""
    try:
        one = parse(text)
    except StreamError:
        return None
    return one if one.by in (By.NAME, By.SOURCE_ID, By.UID) else None


_TEXT = r"(?:'[^']*'|\"[^\"]*\")"
_TERM = re.compile(
    rf"\s*(?:(?P<field>\w+(?:/\w+)*)\s*=\s*(?P<value>{_TEXT})"
    rf"|(?P<how>starts-with|contains)\s*\(\s*(?P<of>\w+(?:/\w+)*)\s*,\s*(?P<part>{_TEXT})\s*\))\s*"
)
_JOIN = re.compile(r"(and|or)\b")


def _predicate(text: str) -> Callable[[ET.Element], bool] | None:
    """What LSL's resolver understands of a predicate, as far as it is used; None where it is none."""
    terms: list[list[re.Match[str]]] = [[]]
    at = 0
    while term := _TERM.match(text, at):
        terms[-1].append(term)
        at = term.end()
        if at == len(text):
            return lambda info: any(all(_holds(one, info) for one in group) for group in terms)
        join = _JOIN.match(text, at)
        if join is None:
            return None
        at = join.end()
        if join[1] == "or":
            terms.append([])
    return None


def _holds(term: re.Match[str], info: ET.Element) -> bool:
    if term["field"]:
        return info.findtext(term["field"], "") == term["value"][1:-1]
    found, part = info.findtext(term["of"], ""), term["part"][1:-1]
    return found.startswith(part) if term["how"] == "starts-with" else part in found
