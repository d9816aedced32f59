"""The system of the review that finds structures in images: a network, its plan, and what its paper claims.

Such a system is evaluated by case (`offline.segmentation.evaluate`): it predicts voxels, not people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from models.segmentation.bundle import SegmentationCard, UNetSettings, VolumeInput, write_segmentation_bundle
from offline.base.json_files import write_json
from offline.base.progress import Tell
from offline.base.result_cache import make_folder
from offline.base.versions import versions
from offline.report.folder import write_report
from offline.segmentation.cases import IMAGES, LABELS, digest, read_cases, values_in
from offline.segmentation.evaluate import SegmentationPlan, evaluate_by_case
from offline.segmentation.prepare import PreparedCases
from offline.segmentation.train import SegmentationTraining, fit_unet, process_group
from offline.studies.base import Paper

EPOCHS: Mapping[str, int] = MappingProxyType({"quick": 24, "full": 150})
"""Of each profile: what two cores do in about 40 minutes a fold, and overnight."""
HIPPOCAMPUS = ("anterior hippocampus", "posterior hippocampus")
"""What 1 and 2 are in collections of hippocampi, as the Medical Segmentation Decathlon has them."""


@dataclass(frozen=True, kw_only=True)
class Segmented:
    """A system that finds structures; the rest as of `offline.studies.base.Study`."""

    name: str
    title: str
    paper: Paper
    ours: str
    network: UNetSettings


LI2019 = Segmented(
    name="li2019",
    title="Dilated-dense U-Net (Li 2019)",
    paper=Paper(
        "Li G, Chen MH, Li G, Wu D, Lian C, Sun Q, Shen D, Wang L (2019). A longitudinal MRI study of "
        "amygdala and hippocampal subfields for infants with risk of autism. GLMI 2019, LNCS 11849:164-171.",
        unstated=("growth rate", "dilations", "the optimiser", "how cases were divided"),
    ),
    ours="A 3-D U-Net of dilated dense blocks, trained by Dice and cross-entropy; every case is predicted by "
    "a network that never saw it. Its infants are not public: it is evaluated on whatever is given.",
    network=UNetSettings(),
)
SEGMENTED: Mapping[str, Segmented] = MappingProxyType({LI2019.name: LI2019})
"""By name."""


def is_labelled_images(path: Path) -> bool:
    """Whether a folder holds images and what was drawn in them."""
    return (path / IMAGES).is_dir() and (path / LABELS).is_dir()


def plan_of(
    system: Segmented, data: Path, profile: str, structures: Mapping[str, int] | None = None
) -> SegmentationPlan:
    """How a system is trained on a folder of images.

    Parameters
    ----------
    system : Segmented
        Which.
    data : Path
        The folder.
    profile : str
        One of `EPOCHS`.
    structures : mapping, optional
        Names of structures and their labels; by default those that stand in the images.
    """
    if structures is None:
        found = values_in(read_cases(data))[1:]
        names = HIPPOCAMPUS if found == (1, 2) else [f"label {value}" for value in found]
        structures = dict(zip(names, found, strict=True))
    return SegmentationPlan(
        structures,
        system.network,
        VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(40, 56, 40), words=f"{len(read_cases(data))} images"),
        SegmentationTraining(epochs=EPOCHS[profile]),
        flips=(0,),
    )


def run_segmented(
    system: Segmented,
    data: Path,
    out: Path,
    *,
    plan: SegmentationPlan,
    tell: Tell,
    cache: Path,
    device: str = "cpu",
) -> Mapping[str, Any]:
    """Evaluate a system on a folder of images, and write its report; what is in ``results.json``.

    Started by ``torchrun``, its processes share each batch.
    """
    cases = read_cases(data)
    make_folder(out)
    where = torch.device(device)
    with process_group(where) as processes:
        found = evaluate_by_case(
            cases, plan, out / "work", cache=cache, tell=tell, device=where, processes=processes
        )
    if processes.rank:
        return found
    described = {
        "name": system.name,
        "title": system.title,
        "paper": system.paper.citation,
        "unstated": list(system.paper.unstated),
        "ours": system.ours,
    }
    results = {"segmentation": described, **found}
    write_json(out / "results.json", results)
    write_json(out / "run.json", {"versions": versions()})
    write_report(out)
    return results


def export_segmented(
    system: Segmented,
    data: Path,
    out: Path,
    *,
    plan: SegmentationPlan,
    evaluation: Mapping[str, Any],
    work: Path,
    cache: Path,
    tell: Tell,
) -> str:
    """Train a system on all cases of a folder and write its bundle; the hash.

    What an evaluation by case found, a mapping of JSON types, goes onto the card.
    """
    cases = read_cases(data)
    prepared = PreparedCases(cases, plan.input, plan.values, cache)
    key = digest(cases)

    def on_epoch(epoch: int, epochs: int, loss: float) -> None:
        tell("all cases", epoch, epochs, f"loss {loss:.3f}")

    make_folder(work)
    fitted = fit_unet(
        prepared,
        range(len(cases)),
        plan.network,
        plan.training,
        n_labels=len(plan.values),
        patch=plan.input.patch,
        flips=plan.flips,
        checkpoint=work / "all.safetensors",
        key=key,
        on_epoch=on_epoch,
    )
    card = SegmentationCard(
        labels=("background", *plan.structures),
        values=plan.values,
        network=plan.network,
        input=plan.input.model_copy(update={"words": f"{plan.input.words}, {system.title}"}),
        flips=plan.flips,
        training={
            "cases": len(cases),
            "digest": key,
            "epochs": plan.training.epochs,
            "losses": list(fitted.losses),
        },
        evaluation=dict(evaluation),
        versions=versions(),
    )
    return write_segmentation_bundle(out, card, fitted.network)
