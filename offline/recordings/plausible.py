"""Numbers that a file declares and that cannot be: wavelengths, steps in time, concentrations.

They are read without a word where only their form is looked at, and what is computed from them is wrong by
factors of a thousand.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.arrays import Floats
from models.errors import RecordingError
from offline.recordings.checks import MOST_HAEMOGLOBIN
from realtime.channels.wavelengths import impossible_light
from realtime.signal import Channel

SHORTEST_STEP_S, LONGEST_STEP_S = 9e-4, 30.0
"""Samples of optical devices are no closer together and no further apart, s."""
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
"""Seconds in one unit of time that files use."""


def check_wavelengths(channels: Sequence[Channel], path: Path) -> None:
    """Refuse wavelengths that cannot be (`realtime.channels.wavelengths`).

    Parameters
    ----------
    channels : sequence of Channel
        Of the recording.
    path : Path
        Of the recording, for messages.

    Raises
    ------
    RecordingError
        Shows the first such.
    """
    if wrong := impossible_light(channels):
        raise RecordingError(f"{path}: {wrong}. Correct the wavelengths in the file.")


def check_steps(times: Floats, path: Path, declared: str, unit: float = 1.0) -> None:
    """Refuse stamps whose unit cannot be the one that was taken.

    Parameters
    ----------
    times : (n_samples,) float64
        Stamps, taken for s.
    path : Path
        Of the recording, for messages.
    declared : str
        What the file says of their unit, in words.
    unit : float
        Seconds in one unit that was taken.

    Raises
    ------
    RecordingError
        Shows the typical step.
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return
    typical = float(np.median(steps))
    if not SHORTEST_STEP_S <= typical <= LONGEST_STEP_S:
        raw = typical / unit
        fits = [u for u, by in TIME_UNITS.items() if SHORTEST_STEP_S <= raw * by <= LONGEST_STEP_S]
        raise RecordingError(
            f"{path}: its time stamps advance by {typical:.6g} s ({declared}); expected "
            f"{SHORTEST_STEP_S:g} to {LONGEST_STEP_S:g} s between samples."
            + (f" Are they in {fits[0]}? Correct their unit in the file." if fits else "")
        )


def impossible_concentrations(rows: Sequence[int], data: Floats) -> str:
    """A remark on haemoglobin that is more than tissue holds though its unit is declared; empty otherwise.

    Parameters
    ----------
    rows : sequence of int
        Channels of haemoglobin whose unit is stated.
    data : (n_channels, n_samples) float64
        Values, mol/L.
    """
    values = np.abs(data[list(rows)])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size or (typical := float(np.median(values))) <= MOST_HAEMOGLOBIN:
        return ""
    return (
        f"haemoglobin is typically {typical:.3g} mol/L by its declared unit, and tissue holds at most "
        f"{MOST_HAEMOGLOBIN:g}: the unit is wrong, or it is no concentration; --haemoglobin-unit "
        "(haemoglobin_unit) corrects it"
    )
