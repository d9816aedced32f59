"""A recording of which much cannot be read is not taken for a recording, unless it is allowed."""

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.errors import RecordingError
from realtime.signal import Kind
from realtime.sources.recording import Recording

LOST_SHARE = "lost_share"
"""Note of a recording: the part of what its file holds or declares that could not be read, 0 to 1."""
MOST_LOST = 0.1
"""A tenth: what is left of a session of 10 minutes then lacks one, and it is unknown which events with it."""

WORTH_TELLING = 0.01
"""Part of a recording that may be empty without a word."""
MISLED: tuple[type[Exception], ...] = (
    *(OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(NameError, zlib.error),
)
"""What the parsers of scipy and MNE raise, besides their own errors, where a damaged file misleads them."""
GAP_PERIODS, GAP_S = 5, 1.0
"""A step in time longer than so many usual ones, and than so many seconds, is a gap."""


def with_losses(recording: Recording, *, wire: bool = False) -> Recording:
    """A recording with remarks on what of its time has no signal, and what of its signal no time.

    The first is no damage as such: a person may have marked it, or the device had no contact.  Stamps that
    come before those in front of them are lost where a file holds them (over a `wire`, a device may restart).
    """
    if not recording.missing.size:
        return recording
    notes, remarks = dict(recording.notes), list[str]()
    times = recording.times
    behind = 0 if wire else int(np.count_nonzero(times[1:] <= np.maximum.accumulate(times)[:-1]))
    if behind:
        remarks.append(f"{behind} of its {len(times)} samples have times that do not advance")
        notes[LOST_SHARE] = max(behind / len(times), float(notes.get(LOST_SHARE, 0.0)))
    if (empty := float(recording.missing.all(axis=0).mean())) > WORTH_TELLING:
        remarks.append(f"{empty:.0%} of its samples hold a value in no channel")
    if (dark := _dark_share(recording)) > WORTH_TELLING:
        remarks.append(
            f"{dark:.0%} of its intensities are zero or below, where no light is; they are missing"
        )
    if gaps := _gap_words(recording):
        remarks.append(gaps)
    return replace(recording, notes=notes).remarked(remarks)


def _dark_share(recording: Recording) -> float:
    """The part of the intensities that tell of no light: dead channels, or no intensities at all."""
    rows = [row for row, channel in enumerate(recording.spec.channels) if channel.kind is Kind.INTENSITY]
    return float(np.mean(recording.data[rows] <= 0)) if rows else 0.0


def _gap_words(recording: Recording) -> str:
    """How much of its time has no samples; empty where hardly any, or where its clock was set anew."""
    steps = np.diff(recording.times)
    forward = steps[steps > 0]
    if not len(forward) or (steps < 0).any() or recording.notes.get("resets"):
        return ""
    usual = float(np.median(forward))
    gaps = forward[forward > max(GAP_PERIODS * usual, GAP_S)] - usual
    if gaps.sum() <= WORTH_TELLING * recording.duration:
        return ""
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    return f"{gaps.sum():.0f} of its {recording.duration:.0f} s have no samples, in {count}"


def refuse_damaged(recording: Recording, path: Path) -> None:
    """Refuse a recording of which more than `MOST_LOST` could not be read: the share, and the remarks."""
    share = recording.notes.get(LOST_SHARE, 0.0)
    if isinstance(share, int | float) and share > MOST_LOST:
        raise RecordingError(
            f"{path} is damaged: {share:.0%} of what it should hold cannot be read, expected at most "
            f"{MOST_LOST:.0%} ({'; '.join(recording.remarks) or 'no more is known'}). Fetch the file again "
            "from where it was made, or take what is left with --allow-damaged (in a recipe: allow_damaged = "
            "true under [input])."
        )
