"""Artefacts, which no head makes: a signal that is flat-lined, saturated, steps or spikes.

Each looks at one window of a device's raw samples, all channels at once.  Most windows have none of
it, so each first asks a question that is cheap to answer with no.
"""

import numpy as np

from models.arrays import Bools, Floats

REPEATED = 5
"""A flat line repeats itself so often: of rounded values two or three are alike by chance."""
STUCK = 3
"""Samples in a row at the extreme that are no mere turning point."""
LEVELS = 100
"""A range of fewer steps of the converter says nothing: a sine spends 6 % of its time in the last of 100."""
LAG_S = 0.25
"""Motion is a change over this time, or over one sample where these are further apart, s."""
FAR = 6.0
"""Motion lies further out than this many of the channel's own scales.

Measured on seven real recordings at 4 to 20 Hz: 92 % or more of steps of 10 SD put into them are found, and
0 to 6 % of their channel-windows as they are (some of these moved)."""
QUANTILE, OF_SD = 0.9, 1.6449
"""The 0.9 quantile of the size of normal noise is so many SD ..."""
MEAN_OF_SD = 0.7979
"""... and its mean so many."""
AROUND_S = 0.5
"""What lies so near a step or spike moves too, s."""
LONG_STEP = 1.5
"""Changes across more than so many sample periods (lost samples) say nothing."""


def repeats(data: Floats) -> Bools:
    """Where a sample equals the one before.

    Parameters
    ----------
    data : (n_samples, n_channels) float64
        NaN where missing.

    Returns
    -------
    (n_samples - 1, n_channels) bool
        For each sample but the first.
    """
    return np.asarray(data[1:] == data[:-1])  # NaN equals nothing


def longest_repetition(times: Floats, same: Bools) -> Floats:
    """Longest time for which each channel repeated itself exactly, s.

    Parameters
    ----------
    times : (n_samples,) float64
        Seconds.
    same : (n_samples - 1, n_channels) bool
        As `repeats` gives it.
    """
    out = np.zeros(same.shape[1])
    columns = np.flatnonzero(np.count_nonzero(same, axis=0) >= REPEATED - 1)
    if len(columns):
        run = same[:, columns]
        step = np.arange(1, len(times))[:, np.newaxis]
        began = np.maximum.accumulate(np.where(run, 0, step), axis=0)  # sample at which each run began
        lasted = np.where(step - began >= REPEATED - 1, times[step] - times[began], 0.0)
        out[columns] = lasted.max(axis=0)
    return out


def share_saturated(data: Floats, same: Bools) -> Floats:
    """Share of each channel's measured samples that stick at the end of its range.

    The end is the highest (lowest) value at which the channel stays; fewer samples lie beyond it than
    at it.  (Beyond lies what rings where a vendor has resampled a signal that sticks.)

    Parameters
    ----------
    data : (n_samples, n_channels) float64
        NaN where missing.
    same : (n_samples - 1, n_channels) bool
        As `repeats` gives it.

    Returns
    -------
    (n_channels,) float64
        0 where the window's range is so few steps of the converter that any turning point sticks.
    """
    out = np.zeros(data.shape[1])
    columns = np.flatnonzero(np.count_nonzero(same, axis=0) >= STUCK - 1)
    if len(columns) == 0:
        return out
    values, run = data[:, columns], same[:, columns]
    steps = np.abs(values[1:] - values[:-1])
    smallest = np.where(steps > 0.0, steps, np.inf).min(axis=0)  # NaN is above nothing
    fine = np.fmax.reduce(values, axis=0) - np.fmin.reduce(values, axis=0) >= LEVELS * smallest
    stays = np.zeros(values.shape, dtype=bool)
    for first in range(STUCK):
        stays[first : first + len(values) - STUCK + 1] |= run[:-1] & run[1:]
    measured = np.maximum(np.count_nonzero(np.isfinite(values), axis=0), 1)
    for sign in (1.0, -1.0):
        risen = sign * values
        end = np.where(stays, risen, -np.inf).max(axis=0)
        at = np.count_nonzero(stays & (risen == end), axis=0)
        beyond = np.count_nonzero(risen > end, axis=0)
        out[columns] = np.maximum(out[columns], np.where(fine & (at > beyond), at / measured, 0.0))
    return out


def changes(times: Floats, data: Floats, rate: float) -> tuple[Floats, int]:
    """How far each channel moves within `LAG_S`.

    Parameters
    ----------
    times : (n_samples,) float64
        Seconds.
    data : (n_channels, n_samples) float64
        Finite.
    rate : float
        Of the samples, Hz.

    Returns
    -------
    changes : (n_channels, n_samples - lag) float64
        Absolute, in the data's unit; 0 across lost samples.
    lag : int
        Samples.
    """
    lag = max(1, round(LAG_S * rate))
    if len(times) <= lag:
        return np.zeros((len(data), 0)), lag
    moved = data[:, lag:] - data[:, :-lag]
    np.abs(moved, out=moved)
    whole = times[lag:] - times[:-lag] <= (lag - 1 + LONG_STEP) / rate
    if not whole.all():
        moved[:, ~whole] = 0.0
    return moved, lag


def usual_change(moved: Floats) -> Floats:
    """A scale that a few large changes do not spoil: their 0.9 quantile, as an SD.

    Not the median: the pulse rises in a tenth of its time, the more so the faster one samples.  Where
    nearly all of a channel's changes are nothing (a coarse converter) it is their mean, as an SD.

    Parameters
    ----------
    moved : (n_channels, n_samples - lag) float64
        As `changes` gives it.

    Returns
    -------
    (n_channels,) float64
        In the data's unit.
    """
    if moved.shape[1] == 0:
        return np.zeros(len(moved))
    rank = int(QUANTILE * moved.shape[1])
    scale = np.partition(moved, rank, axis=1)[:, rank] / OF_SD
    coarse = np.flatnonzero(scale == 0.0)
    if len(coarse):
        scale[coarse] = moved[coarse].mean(axis=1) / MEAN_OF_SD
    return np.asarray(scale)


def share_moving(times: Floats, moved: Floats, lag: int, scale: Floats) -> Floats:
    """Share of the samples that lie within `AROUND_S` of a change far beyond the channel's scale.

    Parameters
    ----------
    times : (n_samples,) float64
        Seconds.
    moved : (n_channels, n_samples - lag) float64
        As `changes` gives it.
    lag : int
        Samples.
    scale : (n_channels,) float64
        What is usual.
    """
    out = np.zeros(len(moved))
    far = moved > FAR * scale[:, np.newaxis]
    for row in np.flatnonzero(far.any(axis=1)):
        at = np.flatnonzero(far[row])
        first = np.searchsorted(times, times[at] - AROUND_S, side="left")
        stop = np.searchsorted(times, times[at + lag] + AROUND_S, side="right")
        edges = np.zeros(len(times) + 1, dtype=np.intp)
        np.add.at(edges, first, 1)
        np.add.at(edges, stop, -1)
        out[row] = np.count_nonzero(np.cumsum(edges[:-1]) > 0) / len(times)
    return out
