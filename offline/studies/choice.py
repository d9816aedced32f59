"""Which systems are run on what data: scans, or a cohort of recordings; and what stands over all."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.errors import HemostreamError, near_match
from models.files.regular_file import read_regular
from offline.report.overview import write_overview
from offline.report.study import UNSEEN_SITE
from offline.scans import Scans
from offline.scans.base import DIAGNOSIS
from offline.segmentation.cases import IMAGES, LABELS
from offline.studies import STUDIES
from offline.studies.base import Study
from offline.studies.paired_with_baseline import paired_with_ridge
from offline.studies.planning import people_of
from offline.studies.recorded import RECORDED, is_cohort
from offline.studies.segmented import SEGMENTED, is_labelled_images
from offline.studies.tables import can_take


def wanted_on(data: Path, names: Sequence[str], *, everything: bool, target: str = DIAGNOSIS) -> list[str]:
    """Names of systems that can be run on data of this kind, in order.

    Parameters
    ----------
    data : path
        Of scans, or of a cohort.
    names : sequence of str
        What was asked for.
    everything : bool
        Whether all are meant; those of the other kind are then left out.
    target : str
        What is predicted; a cohort's is in the recipe.

    Raises
    ------
    HemostreamError
        Nothing was named, there is no such system, or it reads data of the other kind.
    """
    cohort, images = is_cohort(data), is_labelled_images(data)
    fitting = tuple(RECORDED if cohort else SEGMENTED if images else STUDIES)
    if not names and not everything:
        raise HemostreamError("Name a system (see hemostream study list), or give --all.")
    for name in names:
        if name not in (every := (*STUDIES, *RECORDED, *SEGMENTED)):
            near = near_match(name, every)
            raise HemostreamError(f"There is no system {name!r}. {near}")
        if name not in fitting:
            raise HemostreamError(_other_kind(name, data, cohort, images))
    if cohort and target != DIAGNOSIS:
        raise HemostreamError(
            f"--target {target}: the target of a cohort of recordings stands in the recipe; leave it away."
        )
    return list(fitting) if everything else list(names)


def _other_kind(name: str, data: Path, cohort: bool, images: bool) -> str:
    if images or name in SEGMENTED:
        if name in SEGMENTED:
            return (
                f"{name} finds structures in images, but {data} is no collection of them: expected folders "
                f"{IMAGES} and {LABELS}, NIfTI files of the same names in each."
            )
        return (
            f"{name} reads scans or recordings, but {data} holds images and labels. Systems that find "
            f"structures in images: {', '.join(SEGMENTED)}."
        )
    if cohort:
        return (
            f"{name} reads scans (region series, or a table), but {data} is a cohort of recordings. Give a "
            f"folder of scans, or run a system that reads recordings: {', '.join(RECORDED)}."
        )
    return (
        f"{name} reads a cohort of fNIRS recordings, but {data} is none: expected a folder with cohort.tsv "
        f"(columns recording and person), or that table. Systems that read scans: {', '.join(STUDIES)}."
    )


def can_run(study: Study, scans: Scans) -> bool:
    """Whether a study can be run on these scans and their target."""
    if not can_take(study.table, scans):
        return False
    if scans.is_continuous:
        return study.continuous and study.population is None
    try:
        people_of(study, scans)
    except HemostreamError:
        return False
    return True


def folder_of(out: Path, target: str) -> Path:
    """Reports of another target than the diagnosis have a folder of their own: figures do not mix."""
    return out if target == DIAGNOSIS else out / re.sub(r"[^\w-]+", "-", target)


def summarise(out: Path) -> str:
    """Write ``studies.md``, ``studies.json`` and ``index.html`` over all studies of a folder; the table."""
    results, seconds, notes = [], {}, []
    for name in STUDIES:
        if not (out / name / "results.json").exists():
            continue
        try:
            its = json.loads(read_regular(out / name / "results.json").decode("utf-8"))
            run = json.loads(read_regular(out / name / "run.json").decode("utf-8"))
            seconds[name] = sum(run["seconds"].values())
        except (OSError, ValueError) as error:
            notes.append(f"{name} is left out, its report is not whole ({error}): run it again.")
        else:
            results.append(its)
    notes += _of_other_data(results)
    if not any("unit" in each["data"] for each in results):
        two = [each["study"]["name"] for each in results if len(each["data"]["labels"]) == 2]
        paired = paired_with_ridge(out, two)
        results = [{**each, "beside_ridge": paired.get(each["study"]["name"])} for each in results]
    return write_overview(out, results, seconds, notes)


def honest(folder: Path) -> str:
    """What a study's report says of unseen sites, in a few words; empty where there is none."""
    try:
        conditions = json.loads(read_regular(folder / "results.json").decode("utf-8"))["conditions"]
        its = conditions[UNSEEN_SITE]
        low, high = its["auc"]["interval"]
        return f"{its['accuracy']:.3f}, {its['auc']['value']:.3f} ({low:.3f} to {high:.3f})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _of_other_data(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """That rows of one table are not of the same people: then they may not be compared."""
    by_data: dict[str, list[str]] = {}
    for each in results:
        by_data.setdefault(each["data"]["digest"], []).append(each["study"]["name"])
    if len(by_data) < 2:
        return []
    apart = "; ".join(", ".join(names) for names in by_data.values())
    return [
        "These rows may not be compared: they are not all of the same data and the same versions of software "
        f"({apart}). Run them again with one --data, or give each data an --out of its own."
    ]
