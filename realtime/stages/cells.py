"""What of a chunk a stage may use: the rows of its kinds, the cells that were measured, the rate.

A cell is one channel at one sample.  Every stage asks the same three questions; they are
answered here, with one wording for the errors.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from models.arrays import Bools
from models.errors import SignalError
from realtime.signal import Channel, Chunk, SignalSpec


def usable(chunk: Chunk) -> Bools:
    """Cells that hold a finite measured value.

    A value that is not finite although it was not declared missing would stay in a carried filter
    for ever, so it counts as missing everywhere, and no stage lets it out as measured.

    Parameters
    ----------
    chunk : Chunk
        ``data`` is (n_channels, n_samples) float64, each channel's unit.

    Returns
    -------
    (n_channels, n_samples) bool
    """
    finite: Bools = np.isfinite(chunk.data)
    return np.greater(finite, chunk.missing)  # finite and not missing, in one pass


def rows_where(
    stage: str, spec: SignalSpec, fits: Callable[[Channel], bool], expected: str
) -> npt.NDArray[np.intp]:
    """Rows of the channels that a stage works on.

    Parameters
    ----------
    stage : str
        Named in the message.
    spec : SignalSpec
        The incoming signal.
    fits : callable
        Says whether a channel is one of them.
    expected : str
        What they are, in words.

    Returns
    -------
    (n_rows,) intp
        Row numbers, in order, without unit.

    Raises
    ------
    SignalError
        If there is none.
    """
    rows = [row for row, channel in enumerate(spec.channels) if fits(channel)]
    if not rows:
        raise SignalError(
            f"Stage {stage!r} has no channel to work on: found {describe(spec.channels)}; "
            f"expected {expected}."
        )
    return np.array(rows, dtype=np.intp)


def describe(channels: Iterable[Channel]) -> str:
    """Say how many channels of which kind and unit there are."""
    counts: dict[str, int] = {}
    for channel in channels:
        name = f"{channel.kind} ({channel.unit})"
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "no channel at all"


def grid_rate(stage: str, spec: SignalSpec) -> float:
    """Rate (Hz) of a signal that must lie on a uniform grid.

    Raises
    ------
    SignalError
        If the signal declares no rate.
    """
    if spec.rate <= 0:
        raise SignalError(
            f"Stage {stage!r} works on a uniform grid, but its signal declares no rate "
            f"(found {spec.rate:g} Hz); put a 'resample' stage before it."
        )
    return spec.rate


def whole_range(rows: npt.NDArray[np.intp], n_channels: int) -> bool:
    """Whether rows : (n_rows,) intp, without unit, are all of the channels in their order."""
    return len(rows) == n_channels and bool((rows == np.arange(n_channels)).all())
