"""Windows to logits, in batches of fixed sizes, on one device.

How a matrix product is split into vector instructions depends on its size, so the last bits of a
window's logits may depend on the size of the batch it is in.  They must not depend on how many
other beds happened to be ready: a batch is padded with zeros to one of a few sizes, the size is
given back to be journaled, and for one size the networks give bitwise the same logits in any row
with any neighbours (tests/models/networks/test_networks.py, on the CPU).
"""

import copy
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import threadpoolctl
import torch

from models.bundle import Bundle
from models.errors import HemostreamError, SignalError
from models.fast_cgrnn.single import one_window_form
from realtime.windows import Window

SIZES = (1, 8, 64)
"""Padded batch sizes: one bed, a ward's tick, a file."""


def one_thread() -> None:
    """Let torch, and numpy's products, compute with one thread in this process.

    The networks are so small that a second thread costs more than it gives, far more on a busy
    machine; and with one thread the order of every sum is fixed.  It holds for the whole process,
    so whoever owns the process calls it, once, before the first network runs.
    """
    torch.set_num_threads(1)
    threadpoolctl.threadpool_limits(1, user_api="blas")


def available_devices() -> tuple[str, ...]:
    """The devices of this machine that torch can use, the preferred one first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


class Inference:
    """A bundle's network on one device.

    It may be called from any thread, one call at a time (a lock sees to it).

    Parameters
    ----------
    bundle : Bundle
        The classifier; its network is copied.
    device : str
        ``auto`` for the best there is (cuda, mps, cpu), or one of them by name.
    sizes : sequence of int
        Padded batch sizes.

    Attributes
    ----------
    device_name : str
        What it runs on, for people.
    on_cpu : bool
        Whether that is the CPU: calls are then short and bitwise repeatable.
    sizes : tuple of int
        The padded batch sizes, rising.

    Raises
    ------
    HemostreamError
        The device is not available here.
    """

    def __init__(self, bundle: Bundle, *, device: str = "auto", sizes: Sequence[int] = SIZES) -> None:
        if not sizes or min(sizes) < 1:
            raise ValueError(f"Batch sizes are {sizes}; expected at least one, each 1 or more.")
        self._device = torch.device(choose_device(device))
        self.device_name = str(self._device)
        self.on_cpu = self._device.type == "cpu"
        self.sizes = tuple(sorted(set(sizes)))
        self.n_outputs = int(bundle.card.model.n_outputs)
        self._shape = (int(bundle.card.model.n_chans), int(bundle.card.model.n_times))
        if self._device.type == "cuda":
            self.device_name = f"cuda ({torch.cuda.get_device_name(self._device)})"
            # TF32 keeps 10 bits of the mantissa: within 1e-3 of the CPU it is not.
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cudnn.deterministic = True
            torch.backends.cudnn.benchmark = False
        # Without gradients torch takes other kernels: the last bits of journaled decisions depend on it.
        self._network = copy.deepcopy(bundle.network).to(self._device).eval().requires_grad_(False)
        self._lock = threading.Lock()
        self._inputs = {size: torch.zeros(size, *self._shape) for size in self.sizes}
        self._views = {size: tensor.numpy() for size, tensor in self._inputs.items()}
        self._one_window = one_window_form(self._network, *self._shape) if self.on_cpu else None
        for size in self.sizes:  # the first call of each size pays for kernels and memory: pay now
            self._block(np.zeros((1, *self._shape), dtype=np.float32), size)

    def logits(
        self, windows: npt.NDArray[np.float32], *, size: int | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Logits of windows, each computed by itself.

        Parameters
        ----------
        windows : (n_windows, n_channels, n_samples) float32
            As the pipeline gives them (normalised, no unit).
        size : int or None
            Padded batch size to use, of `sizes`; None takes the smallest that holds the windows, and
            blocks of the largest where none does.

        Returns
        -------
        logits : (n_windows, n_outputs) float32
            No unit.
        sizes : (n_windows,) int64
            Padded size of the batch in which each was computed.

        Raises
        ------
        SignalError
            The windows are not of the shape that the network was made for.
        HemostreamError
            That batch size is not served.
        """
        if windows.ndim != 3 or windows.shape[1:] != self._shape:
            raise SignalError(
                f"Windows are {windows.shape}; the model takes (n, {self._shape[0]} channels, "
                f"{self._shape[1]} samples). Pipeline and bundle do not belong together."
            )
        if size is not None and size not in self._inputs:
            raise HemostreamError(
                f"A batch of size {size} is asked for; this session serves {self.sizes}. "
                "Take the version that wrote the journal."
            )
        count = len(windows)
        block = size or self._smallest(count)
        if 0 < count <= block:
            return self._block(windows, block), np.full(count, block)
        logits = np.empty((count, self.n_outputs), dtype=np.float32)
        sizes = np.empty(count, dtype=np.int64)
        for start in range(0, count, block):
            part = windows[start : start + block]
            used = size or self._smallest(len(part))
            logits[start : start + block] = self._block(part, used)
            sizes[start : start + block] = used
        return logits, sizes

    def _smallest(self, count: int) -> int:
        return next((size for size in self.sizes if size >= count), self.sizes[-1])

    def _block(self, windows: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
        count = len(windows)
        if size == 1 and self._one_window is not None:
            with self._lock:
                return self._one_window(windows[0])[np.newaxis]
        with self._lock, torch.inference_mode():
            view = self._views[size]
            view[:count] = windows
            view[count:] = 0.0
            batch = self._inputs[size]
            if self.on_cpu:
                return self._network(batch).numpy()[:count]
            return self._network(batch.to(self._device)).cpu().numpy()[:count]


def choose_device(device: str) -> str:
    """The device that is meant by a name, or by ``auto``; a HemostreamError where it is not here."""
    there = available_devices()
    if device == "auto":
        return there[0]
    if device.split(":")[0] not in there:
        raise HemostreamError(
            f"Device {device!r} is not available here; available: {', '.join(there)}. "
            "Take one of them, or auto."
        )
    return device


class NetworkOutput(NamedTuple):
    """The network's output for one window.

    Parameters
    ----------
    logits : (n_labels,) float32, or None
        None where the network did not run.
    batch : int
        Padded size of the batch; 0 where nothing was computed.
    """

    logits: npt.NDArray[np.float32] | None
    batch: int


NOT_PREDICTED = NetworkOutput(None, 0)


def predict(windows: Sequence[Window], inference: Inference) -> list[NetworkOutput]:
    """Run the network on the usable windows, all in one call.

    Parameters
    ----------
    windows : sequence of Window
        As the core gives them, usable or not.
    inference : Inference
        Where it is computed.

    Returns
    -------
    list of NetworkOutput
        One for each window, in their order.
    """
    inputs = [window.data for window in windows if window.usable and window.data is not None]
    if not inputs:
        return [NOT_PREDICTED] * len(windows)
    rows, sizes = inference.logits(np.stack(inputs) if len(inputs) > 1 else inputs[0][np.newaxis])
    outputs = (NetworkOutput(row, int(size)) for row, size in zip(rows, sizes, strict=True))
    return [
        next(outputs) if window.usable and window.data is not None else NOT_PREDICTED for window in windows
    ]
