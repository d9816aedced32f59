"""Windows to logits, in batches of fixed sizes, on one device.

How a matrix product is split into vector instructions depends on its size, so the last bits of a
window's logits may depend on the size of the batch it is in.  They must not depend on how many
other beds happened to be ready: a batch is padded with zeros to one of a few sizes, the size is
given back to be journaled, and for one size the networks give bitwise the same logits in any row
with any neighbours (tests/models/networks/test_networks.py, on the CPU).  Windows of other montages are
other batches, so none is ever padded with channels.
"""

import copy
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import threadpoolctl
import torch
from torch import nn

from models.bundle import Bundle
from models.errors import HemostreamError, SignalError
from models.fast_cgrnn.single import one_window_form
from models.networks.parts.montage import Montage
from models.networks.virtual_probe import placed
from realtime.windows import Window

SIZES = (1, 8, 64)
"""Padded batch sizes: one bed, a ward's tick, a file."""
MOST_MONTAGES = 8
"""Networks that are kept on montages that they were not trained on."""


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
        self._network = copy.deepcopy(bundle.network)
        self._lock = threading.Lock()
        self._runs: dict[bytes, _Run] = {}
        self._run(None)

    def _run(self, montage: Montage | None) -> "_Run":
        """The network on a montage; the last few are kept."""
        key = b"" if montage is None else montage.key
        if (run := self._runs.get(key)) is None:
            network = self._network if montage is None else placed(self._network, montage)
            shape = self._shape if montage is None else (len(montage), self._shape[1])
            run = _Run(network, shape, self.sizes, self._device)
            others = [known for known in self._runs if known]
            if len(others) >= MOST_MONTAGES:
                del self._runs[others[0]]
            self._runs[key] = run
        return run

    def logits(
        self, windows: npt.NDArray[np.float32], *, size: int | None = None, montage: Montage | None = None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Logits of windows, each computed by itself.

        Parameters
        ----------
        windows : (n_windows, n_channels, n_samples) float32
            As the pipeline gives them (normalised, no unit).
        size : int or None
            Padded batch size to use, of `sizes`; None takes the smallest that holds the windows, and
            blocks of the largest where none does.
        montage : Montage or None
            Where the windows' channels are; None where they are those of the bundle's card.

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
        channels, samples = self._shape if montage is None else (len(montage), self._shape[1])
        if windows.ndim != 3 or windows.shape[1:] != (channels, samples):
            raise SignalError(
                f"Windows are {windows.shape}; the model takes (n, {channels} channels, "
                f"{samples} samples). Pipeline and bundle do not belong together."
            )
        if size is not None and size not in self.sizes:
            raise HemostreamError(
                f"A batch of size {size} is asked for; this session serves {self.sizes}. "
                "Take the version that wrote the journal."
            )
        count = len(windows)
        block = size or self._smallest(count)
        with self._lock:
            run = self._run(montage)
            if 0 < count <= block:
                return run.block(windows, block), np.full(count, block)
            logits = np.empty((count, self.n_outputs), dtype=np.float32)
            sizes = np.empty(count, dtype=np.int64)
            for start in range(0, count, block):
                part = windows[start : start + block]
                used = size or self._smallest(len(part))
                logits[start : start + block] = run.block(part, used)
                sizes[start : start + block] = used
        return logits, sizes

    def _smallest(self, count: int) -> int:
        return next((size for size in self.sizes if size >= count), self.sizes[-1])


class _Run:
    """A network and its inputs, for windows of one shape; not for several threads at once."""

    def __init__(
        self, network: nn.Module, shape: tuple[int, int], sizes: Sequence[int], device: torch.device
    ) -> None:
        # Without gradients torch takes other kernels: the last bits of journaled decisions depend on it.
        self._network = copy.deepcopy(network).to(device).eval().requires_grad_(False)
        self._device = device
        self._inputs = {size: torch.zeros(size, *shape) for size in sizes}
        self._views = {size: tensor.numpy() for size, tensor in self._inputs.items()}
        on_cpu = device.type == "cpu"
        self._one_window = one_window_form(self._network, *shape) if on_cpu else None
        for size in sizes:  # the first call of each size pays for kernels and memory: pay now
            self.block(np.zeros((1, *shape), dtype=np.float32), size)

    def block(self, windows: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
        """Logits, (n, n_outputs) float32, of at most ``size`` windows, (n, n_channels, n_samples) float32."""
        count = len(windows)
        if size == 1 and self._one_window is not None:
            return self._one_window(windows[0])[np.newaxis]
        with torch.inference_mode():
            view = self._views[size]
            view[:count] = windows
            view[count:] = 0.0
            batch = self._inputs[size]
            if self._device.type == "cpu":
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
    outputs = [NOT_PREDICTED] * len(windows)
    together: dict[bytes, list[int]] = {}  # a batch is of one montage
    for i, window in enumerate(windows):
        if window.usable and window.data is not None:
            key = b"" if window.montage is None else window.montage.key
            together.setdefault(key, []).append(i)
    for indices in together.values():
        data = [each for i in indices if (each := windows[i].data) is not None]
        rows, sizes = inference.logits(
            np.stack(data) if len(data) > 1 else data[0][np.newaxis], montage=windows[indices[0]].montage
        )
        for i, row, size in zip(indices, rows, sizes, strict=True):
            outputs[i] = NetworkOutput(row, int(size))
    return outputs
