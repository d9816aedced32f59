"""A segmentation network is evaluated by case: every case is predicted by a network that never saw it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.arrays import Floats
from models.errors import HemostreamError
from models.segmentation.bundle import UNetSettings, VolumeInput
from offline.base.progress import Tell
from offline.base.result_cache import load_result, make_folder, put_result
from offline.segmentation.agreement import agreement_of
from offline.segmentation.cases import DrawnCase, digest
from offline.segmentation.predict import logits_of
from offline.segmentation.prepare import PreparedCases
from offline.segmentation.train import ALONE, Processes, SegmentationTraining, fit_unet
from offline.stats.intervals import around, bootstrap_mean_sd

MEASURES = ("dice", "hausdorff95_mm", "volume_error")
"""In the order of the last axis of what a fold keeps."""
FEWEST = 5
"""Cases: with fewer there is nothing to hold out."""


@dataclass(frozen=True)
class SegmentationPlan:
    """What is trained, on what, how.

    Parameters
    ----------
    structures : mapping of str to int
        Names of what is to be found, and what stands for each in an image of labels.
    network, input, training : UNetSettings, VolumeInput, SegmentationTraining
        What the network is, what it is given, how it is trained.
    flips : tuple of int
        Axes along which images are flipped, in training and in prediction.
    folds : int
        Cases are divided among.
    """

    structures: Mapping[str, int]
    network: UNetSettings
    input: VolumeInput
    training: SegmentationTraining
    flips: tuple[int, ...] = ()
    folds: int = 5

    @property
    def values(self) -> tuple[int, ...]:
        """Labels that may stand in an image, the background's first."""
        return (0, *self.structures.values())


def evaluate_by_case(
    cases: Sequence[DrawnCase],
    plan: SegmentationPlan,
    work: Path,
    *,
    cache: Path,
    tell: Tell,
    device: torch.device | None = None,
    processes: Processes = ALONE,
) -> Mapping[str, Any]:
    """Predict every case in turn; what is done is kept and taken up again.

    Parameters
    ----------
    cases : sequence of DrawnCase
        All.
    plan : SegmentationPlan
        What is trained.
    work : Path
        Folder of checkpoints and of finished folds.
    cache : Path
        Folder of prepared images.
    tell : callable
        Told of progress.
    device : torch.device, optional
        The CPU without.
    processes : Processes
        Which of several that ``torchrun`` started this is; the first alone writes.

    Returns
    -------
    mapping
        Figures of each structure over cases, with intervals; what ``results.json`` holds.

    Raises
    ------
    HemostreamError
        There are too few cases, or one is not what it must be.
    """
    if len(cases) < max(FEWEST, plan.folds):
        raise HemostreamError(
            f"There are {len(cases)} cases; expected {max(FEWEST, plan.folds)} or more, to divide them into "
            f"{plan.folds} folds."
        )
    make_folder(work)
    prepared = PreparedCases(cases, plan.input, plan.values, cache)
    key = digest(cases)
    fold_of = np.random.default_rng(plan.training.seed).permutation(len(cases)) % plan.folds
    found = np.full((len(cases), len(plan.structures), len(MEASURES)), np.nan)
    losses = []
    for fold in range(plan.folds):
        held_out = np.flatnonzero(fold_of == fold)
        figures, loss = _fold(prepared, held_out, fold, plan, key, work, tell, device, processes)
        found[held_out] = figures
        losses.append(loss)
    return {
        "cases": len(cases),
        "digest": key,
        "folds": plan.folds,
        "structures": {
            name: _figures(found[:, k], plan.training.seed) for k, name in enumerate(plan.structures)
        },
        "by_case": {
            case.name: {
                name: {what: _or_none(value) for what, value in zip(MEASURES, found[i, k], strict=True)}
                for k, name in enumerate(plan.structures)
            }
            for i, case in enumerate(cases)
        },
        "losses": losses,
        "plan": {
            "network": plan.network.model_dump(),
            "input": plan.input.model_dump(),
            "training": asdict(plan.training),
            "flips": list(plan.flips),
        },
    }


def _fold(
    prepared: PreparedCases,
    held_out: Sequence[int] | np.ndarray[Any, Any],
    fold: int,
    plan: SegmentationPlan,
    key: str,
    work: Path,
    tell: Tell,
    device: torch.device | None,
    processes: Processes,
) -> tuple[Floats, list[float]]:
    """Figures of the held-out cases, (n_cases, n_structures, n_measures), and the loss of each epoch."""
    training = replace(plan.training, seed=plan.training.seed + fold)
    rows = [k for k in range(len(prepared)) if k not in set(held_out)]
    its = f"{key} {plan.network.model_dump()} {plan.input.model_dump()} {training} {plan.flips} {held_out}"
    done = work / f"fold-{fold}.npz"

    def kept(arrays: Mapping[str, Any]) -> tuple[Floats, list[float]]:
        if str(arrays["key"]) != its:
            raise ValueError("it is of other cases or another training")
        return np.asarray(arrays["figures"], dtype=np.float64), [float(each) for each in arrays["losses"]]

    if (there := load_result(done, kept)) is not None:
        return there

    def on_epoch(epoch: int, epochs: int, loss: float) -> None:
        tell(f"fold {fold + 1} of {plan.folds}", epoch, epochs, f"loss {loss:.3f}")

    fitted = fit_unet(
        prepared,
        rows,
        plan.network,
        training,
        n_labels=len(plan.values),
        patch=plan.input.patch,
        flips=plan.flips,
        checkpoint=work / f"fold-{fold}.safetensors",
        key=key,
        device=device,
        processes=processes,
        on_epoch=on_epoch,
    )
    figures = np.array([_case(fitted.network, prepared, k, plan, device) for k in held_out])
    if processes.rank == 0:
        put_result(done, key=np.array(its), figures=figures, losses=np.array(fitted.losses))
    return figures, list(fitted.losses)


def _case(
    network: torch.nn.Module,
    prepared: PreparedCases,
    k: int,
    plan: SegmentationPlan,
    device: torch.device | None,
) -> list[list[float]]:
    """Measures of every structure of a case, at the spacing that the network sees."""
    logits = logits_of(network, prepared.image(k), plan.input, plan.flips, device)
    found = logits.argmax(dim=0).numpy().astype(np.uint8)
    drawn = np.array(prepared.labels(k))
    rows = []
    for place in range(1, len(plan.values)):
        if not (drawn == place).any():
            rows.append([float("nan")] * len(MEASURES))
            continue
        agreement = agreement_of(found, drawn, place, plan.input.voxel_mm)
        rows.append([getattr(agreement, name) for name in MEASURES])
    return rows


def _or_none(value: float) -> float | None:
    """A number as JSON has it."""
    return float(value) if np.isfinite(value) else None


def _figures(values: Floats, seed: int) -> dict[str, Any]:
    """Of one structure over cases: Dice with its interval, medians of the rest."""
    known = values[np.isfinite(values[:, 0])]
    dice = known[:, 0]
    sd = bootstrap_mean_sd(dice, seed=seed)
    return {
        "cases": len(known),
        "dice": {
            "value": float(dice.mean()),
            "interval": None if sd is None else around(float(dice.mean()), sd),
        },
        "dice_worst": float(dice.min()),
        "hausdorff95_mm": {
            "median": _or_none(float(np.median(known[:, 1]))),
            "not_found": int(np.count_nonzero(np.isinf(known[:, 1]))),
        },
        "volume_error": {
            "median_absolute": float(np.median(np.abs(known[:, 2]))),
            "median": float(np.median(known[:, 2])),
        },
    }
