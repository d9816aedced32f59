"""From faults to what is sent: which sample, when, with which stamp, how spoilt.  No clock is read here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats
from tools.faults.faults import SPOILS, Fault, in_force

PULSE_HZ = 1.1
"""The pulse that both wavelengths of a pair show."""
LIMIT_V = 5.0
"""Where the converter ends, V."""
NOISE = 4096
"""Samples after which the noise repeats."""


@dataclass(frozen=True, slots=True)
class Send:
    """One push.

    Parameters
    ----------
    index : int
        Which sample it is.
    second : float
        When it was measured, stream seconds from the first sample: the truth.
    due : float
        When it is sent, likewise.
    shift : float
        How wrong its stamp is, s.
    spoils : tuple of (str, float)
        What is wrong with its values, and for which share of the channels.
    """

    index: int
    second: float
    due: float
    shift: float
    spoils: tuple[tuple[str, float], ...] = ()


def sends(n_samples: int, rate: float, faults: Sequence[Fault], *, seed: int = 0) -> Iterator[Send]:
    """What is sent, in the order in which it is.

    Parameters
    ----------
    n_samples : int
        How many samples are measured.
    rate : float
        Truly so many a second, Hz.
    faults : sequence of Fault
        What goes wrong.
    seed : int
        Of the jitter.
    """
    rng = np.random.default_rng(seed)
    late: list[Send] = []  # behind a sample that overtook them
    for index in range(n_samples):
        second = index / rate
        present = in_force(faults, second)
        kinds = {fault.kind for fault in present}
        shift, due = 0.0, second
        for fault in present:
            if fault.kind == "jitter":
                by = fault.value("by", 0.1)
                shift += float(rng.uniform(-by, by))
            elif fault.kind == "clock":
                shift += fault.value("by", 1000.0)
            elif fault.kind == "freeze":
                due = max(due, fault.end)
        if "gap" in kinds:
            continue
        spoils = tuple((fault.kind, fault.value("share", 1.0)) for fault in present if fault.kind in SPOILS)
        send = Send(index, second, due, shift, spoils)
        if "disorder" in kinds and index % 2 == 0 and index + 1 < n_samples:
            late.append(send)
            continue
        yield send
        if "duplicates" in kinds and index % 2:
            yield send
        while late:
            behind = late.pop()
            yield Send(behind.index, behind.second, max(due, behind.due), behind.shift, behind.spoils)


class Values:
    """Intensities with a pulse, a slow wave and a little noise; a function of the sample's index.

    Parameters
    ----------
    n_channels : int
        Two wavelengths a pair, one after the other.
    rate : float
        Hz.
    seed : int
        Of the noise.
    """

    def __init__(self, n_channels: int, rate: float, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._rate = rate
        self._noise = 0.002 * rng.normal(size=(NOISE, n_channels))
        pair = np.arange(n_channels) // 2
        self._phase = 0.7 * pair
        self._sign = np.where(np.arange(n_channels) % 2, -1.0, 1.0)
        self._held = np.ones(n_channels)

    def take(self, send: Send) -> Floats:
        """The values of a sample as they are sent.

        Returns
        -------
        (n_channels,) float64, V
            Spoilt where the fault says so: always the first channels.
        """
        second = send.index / self._rate
        pulse = 0.02 * np.sin(2 * np.pi * PULSE_HZ * second + self._phase)
        slow = 0.03 * self._sign * np.sin(2 * np.pi * 0.05 * second + 0.3 * self._phase)
        values: Floats = np.exp(pulse + slow + self._noise[send.index % NOISE])
        flat = 0
        for kind, share in send.spoils:
            hit = max(1, round(share * len(values)))
            if kind == "flat":
                values[:hit] = self._held[:hit]
                flat = max(flat, hit)
            else:
                values[:hit] = {"nan": np.nan, "inf": np.inf, "saturation": LIMIT_V}[kind]
        self._held[flat:] = values[flat:]
        return values
