"""A segmentation network is trained: whole epochs, each kept, so that a killed run ends the same.

One process, or several that ``torchrun`` started: then each takes its share of every batch, and the loss is
that of one process.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
import torch.distributed
from monai.losses import DiceCELoss
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from models.errors import HemostreamError
from models.files.regular_file import read_regular
from models.segmentation.bundle import UNetSettings
from offline.base.reproducible import reproducible
from offline.base.result_cache import DAMAGED, put_bytes
from offline.segmentation.augmentation import ImageAugmentation
from offline.segmentation.prepare import PreparedCases

MOST_CHECKPOINT = 2**34
"""Bytes of a checkpoint."""


@dataclass(frozen=True)
class SegmentationTraining:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        Times that every case is seen.
    batch : int
        Cases a step, over all processes.
    accumulate : int
        Parts in which a process computes its share of a batch: fewer voxels in memory, the same step.
    learning_rate : float
        At its greatest: it rises over the first twentieth and falls along a cosine.
    weight_decay : float
        Of AdamW.
    seed : int
        Of all chance.
    """

    epochs: int = 24
    batch: int = 2
    accumulate: int = 1
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    seed: int = 0


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is."""

    rank: int = 0
    size: int = 1


ALONE = Processes()
"""The one process that there is."""


@dataclass(frozen=True, eq=False)
class FittedUNet:
    """A trained network, on the CPU and in evaluation mode, and the mean loss of each epoch: (n_epochs,)."""

    network: nn.Module
    losses: tuple[float, ...]


def fit_unet(
    cases: PreparedCases,
    rows: Sequence[int],
    settings: UNetSettings,
    training: SegmentationTraining,
    *,
    n_labels: int,
    patch: Sequence[int],
    flips: Sequence[int] = (),
    checkpoint: Path | None = None,
    key: str = "",
    device: torch.device | None = None,
    processes: Processes = ALONE,
    on_epoch: Callable[[int, int, float], None] | None = None,
) -> FittedUNet:
    """Train a network on some of the cases.

    Parameters
    ----------
    cases : PreparedCases
        All.
    rows : sequence of int
        Which of them are trained on.
    settings, training : UNetSettings, SegmentationTraining
        What the network is, and how it is trained.
    n_labels : int
        Background included.
    patch, flips : sequence of int
        Voxels that it sees at once, and axes along which images are also flipped.
    checkpoint : Path, optional
        Kept after each epoch, and taken up from where it is there whole and of the same ``key``.
    key : str
        What the result follows from beside the settings: a hash of the cases.
    device : torch.device, optional
        The CPU without.
    processes : Processes
        Of a process group that was started already.
    on_epoch : callable, optional
        Told of each: its number, how many there are, its loss.

    Raises
    ------
    HemostreamError
        The loss is no number, or a checkpoint cannot be kept.
    """
    device = device or torch.device("cpu")
    mine = json.dumps(
        [key, settings.model_dump(), asdict(training), list(rows), list(patch), list(flips)], default=list
    )
    share = training.batch // processes.size
    if share * processes.size != training.batch or share % training.accumulate:
        raise HemostreamError(
            f"A batch of {training.batch} cannot be shared among {processes.size} processes in "
            f"{training.accumulate} parts each; expected a multiple of "
            f"{processes.size * training.accumulate}."
        )
    with reproducible(training.seed, torch.get_num_threads()):
        network = settings.network(n_labels).to(device)
        optimiser = torch.optim.AdamW(
            network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        losses = [] if checkpoint is None else _take_up(checkpoint, mine, network, optimiser)
        trained = DistributedDataParallel(network) if processes.size > 1 else network
        augment = ImageAugmentation(patch, flips, device)
        for epoch in range(len(losses), training.epochs):
            loss = _epoch(trained, optimiser, cases, rows, training, augment, epoch, device, processes)
            if not np.isfinite(loss):
                raise HemostreamError(
                    f"The loss of epoch {epoch + 1} is {loss}; expected a number. Train with a learning rate "
                    f"below {training.learning_rate:g}."
                )
            losses.append(loss)
            if checkpoint is not None and processes.rank == 0:
                _keep(checkpoint, mine, network, optimiser, losses)
            if on_epoch is not None:
                on_epoch(epoch + 1, training.epochs, loss)
    return FittedUNet(network.cpu().eval(), tuple(losses))


def _epoch(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    cases: PreparedCases,
    rows: Sequence[int],
    training: SegmentationTraining,
    augment: ImageAugmentation,
    epoch: int,
    device: torch.device,
    processes: Processes,
) -> float:
    """See every case once; the mean loss over all processes.  The last cases fill no batch and wait."""
    measure = DiceCELoss(to_onehot_y=True, softmax=True)
    order = np.random.default_rng([training.seed, epoch]).permutation(len(rows))
    steps = max(len(order) // training.batch, 1)
    total = torch.zeros((), dtype=torch.float64, device=device)
    network.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _rate(training, epoch + step / steps)
        optimiser.zero_grad(set_to_none=True)
        batch = [rows[k] for k in order[step * training.batch : (step + 1) * training.batch]]
        own = batch[processes.rank :: processes.size]
        parts = [own[k :: training.accumulate] for k in range(training.accumulate)]
        for k, part in enumerate(parts):
            pairs = [
                augment(cases.image(row), cases.labels(row), (training.seed, epoch, row)) for row in part
            ]
            x = torch.stack([image for image, _ in pairs]).to(device)  # (batch, 1, *patch)
            y = torch.stack([labels for _, labels in pairs]).to(device)
            with _together(network, last=k == len(parts) - 1):
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
                    logits = network(x)
                loss = measure(logits.float(), y) / len(parts)
                loss.backward()
            total += loss.detach().double()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    if processes.size > 1:
        torch.distributed.all_reduce(total)
    return float(total) / steps / processes.size


def _rate(training: SegmentationTraining, epoch: float) -> float:
    """The learning rate at a moment, epochs."""
    done = epoch / training.epochs
    rise = min(done / 0.05, 1.0)
    return (
        training.learning_rate * min(rise + 0.02, 1.0) * (0.5 + 0.5 * float(np.cos(np.pi * min(done, 1.0))))
    )


@contextmanager
def _together(network: nn.Module, *, last: bool) -> Iterator[None]:
    """Whether gradients are exchanged between processes: once a step."""
    if isinstance(network, DistributedDataParallel) and not last:
        with network.no_sync():
            yield
    else:
        yield


@contextmanager
def process_group(device: torch.device) -> Iterator[Processes]:
    """The processes that ``torchrun`` started, or this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(torch.distributed.get_rank(), size)
    finally:
        torch.distributed.destroy_process_group()


def _keep(
    path: Path, key: str, network: nn.Module, optimiser: torch.optim.Optimizer, losses: Sequence[float]
) -> None:
    tensors = {f"network.{name}": each.detach().cpu() for name, each in network.state_dict().items()}
    for k, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{k}.{name}": torch.as_tensor(each).cpu() for name, each in state.items()}
    whole = {name: each.contiguous().clone() for name, each in tensors.items()}
    said = {"key": key, "losses": json.dumps(list(losses))}
    put_bytes(path, safetensors.torch.save(whole, metadata=said))


def _take_up(path: Path, key: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> list[float]:
    """Losses of the epochs that are done, network and optimiser as after them; none where nothing fits."""
    try:
        content = read_regular(path, most=MOST_CHECKPOINT)
        said = _said(content)
        if said.get("key") != key:
            return []
        tensors = safetensors.torch.load(content)
        losses = [float(each) for each in json.loads(said["losses"])]
        own = {
            name.removeprefix("network."): each
            for name, each in tensors.items()
            if name.startswith("network.")
        }
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, each in tensors.items():
            if name.startswith("optimiser."):
                _, k, what = name.split(".")
                state.setdefault(int(k), {})[what] = each
        network.load_state_dict(own)
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    except (OSError, safetensors.SafetensorError, *DAMAGED):
        return []
    return losses


def _said(content: bytes) -> Mapping[str, Any]:
    """What a safetensors file says beside its tensors."""
    length = int.from_bytes(content[:8], "little")
    found = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return found if isinstance(found, dict) else {}
