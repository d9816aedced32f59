"""Many overlapping windows, each sample of them kept once.

Windows of 7 s that begin every second hold each sample seven times.  What is kept here is the signal that
they were cut from; a window is a strided view of it, and only what is asked for at once (a batch) is copied.
Whether two windows share samples is not assumed but looked at, bit for bit: where they do not (behind a
gap, say), a new stretch begins.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Float32 = npt.NDArray[np.float32]


class KeptWindows:
    """Windows (n, n_channels, n_samples) float32, as far as reading goes like an array of that shape.

    The signal, (n_channels, n_kept) float32, has stretches one behind the other; ``at``, (n,) int64, is where
    each window begins.
    """

    ndim = 3
    dtype = np.dtype(np.float32)

    def __init__(self, signal: Float32, at: npt.NDArray[np.int64], n_samples: int) -> None:
        if len(at) and not (int(at.min()) >= 0 and int(at.max()) + n_samples <= signal.shape[1]):
            raise ValueError(
                f"windows of {n_samples} samples begin at {at.min()} to {at.max()}, "
                f"but {signal.shape[1]} are kept"
            )
        self.signal = signal
        self.at = at
        self.n_samples = n_samples

    @classmethod
    def of(cls, windows: Sequence[Float32], starts: Sequence[float], rate: float) -> "KeptWindows":
        """Keep the windows of one recording, at least one, (n_channels, n_samples) float32 each.

        They are in order of time, begin at ``starts``, s, and have ``rate`` samples a second.
        """
        n_samples = windows[0].shape[1]
        pieces, at = [windows[0]], [0]
        kept = n_samples
        for k in range(1, len(windows)):
            later = round((starts[k] - starts[k - 1]) * rate)
            shares = 0 < later < n_samples and np.array_equal(
                windows[k - 1][:, later:].view(np.uint32), windows[k][:, : n_samples - later].view(np.uint32)
            )
            pieces.append(windows[k][:, n_samples - later :] if shares else windows[k])
            kept += pieces[-1].shape[1]
            at.append(kept - n_samples)
        return cls(np.concatenate(pieces, axis=1), np.array(at, dtype=np.int64), n_samples)

    @classmethod
    def concatenate(cls, parts: Sequence["KeptWindows"]) -> "KeptWindows":
        """Windows of several recordings one behind the other; at least one recording."""
        before = np.cumsum([0, *(part.signal.shape[1] for part in parts)])
        at = [part.at + start for part, start in zip(parts, before[:-1].tolist(), strict=True)]
        signal = np.concatenate([part.signal for part in parts], axis=1)
        return cls(signal, np.concatenate(at), parts[0].n_samples)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, n_channels, n_samples)."""
        return len(self.at), self.signal.shape[0], self.n_samples

    @property
    def nbytes(self) -> int:
        """Bytes that are kept; as an array it would be the product of `shape`, times four."""
        return self.signal.nbytes + self.at.nbytes

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, rows: Any) -> Float32:
        """One window, a view that cannot be written to; or some (slice, numbers, flags), a new array."""
        if isinstance(rows, int | np.integer):
            start = int(self.at[rows])
            view = self.signal[:, start : start + self.n_samples]
            view.flags.writeable = False
            return view
        every = sliding_window_view(self.signal, self.n_samples, axis=1)  # (n_channels, n_starts, n_samples)
        return np.ascontiguousarray(every.transpose(1, 0, 2)[self.at[rows]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("windows are kept once a sample: an array of them is always a copy")
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype)

    def channels(self, chosen: Sequence[int]) -> "KeptWindows":
        """The same windows of some channels only."""
        return KeptWindows(self.signal[list(chosen)], self.at, self.n_samples)


def channels_of(X: "Windows", chosen: Sequence[int]) -> "Windows":
    """Windows (n, n_channels, n_samples) of some channels only."""
    return X.channels(chosen) if isinstance(X, KeptWindows) else X[:, list(chosen)]


Windows = Float32 | KeptWindows
"""What is learnt from and predicted: an array, or windows that are kept once a sample."""
