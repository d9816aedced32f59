"""Reports of "study run": which may be replaced, and the figure that matters of each."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from models.files.regular_file import read_regular
from tools.commands.evaluate import main_figure
from tools.messages import say


def run_on_cohort(
    names: Sequence[str], cohort: Path, out: Path, workers: int, allow_damaged: bool, overwrite: bool
) -> None:
    """Evaluate systems that are recipes; one whose report is whole, of this cohort and recipe, is kept."""
    from offline.base.cohort import read_cohort
    from offline.samples.recipe import load_recipe
    from offline.studies.recorded import RECORDED, run_recorded

    of_cohort = read_cohort(cohort).content_hash()
    wanted = []
    for name in names:
        recipe = load_recipe(RECORDED[name].recipe, allow_damaged=allow_damaged)
        its = results_in(out / name)
        whole = its is not None and not (out / name / "work").is_dir()
        if whole and its is not None and not overwrite:
            if (its.get("cohort_hash"), its["recipe"]["hash"]) == (of_cohort, recipe.hash):
                say(f"{name}: its report is whole and is kept.")
                continue
            raise HemostreamError(
                f"{out / name} holds a report of another cohort or recipe. Give another place with --out, or "
                "--overwrite to replace it."
            )
        wanted.append(name)
    for name in wanted:
        run_recorded(RECORDED[name], cohort, out / name, workers=workers, allow_damaged=allow_damaged)
    for name in names:
        its = results_in(out / name)
        if its is not None and (figure := main_figure(its)):
            say(f"{name}: {figure}")
    for name in names:
        say(f"Report: {out / name / 'report.html'}")


def run_on_images(names: Sequence[str], data: Path, out: Path, profile: str, overwrite: bool) -> None:
    """Evaluate systems that find structures in images, by case; a whole report of these images is kept."""
    from offline.base.progress import shown
    from offline.segmentation.cases import digest, read_cases
    from offline.studies.segmented import SEGMENTED, plan_of, run_segmented

    of_images = digest(read_cases(data))
    for name in names:
        plan = plan_of(SEGMENTED[name], data, profile)
        its = results_in(out / name)
        if its is not None and not overwrite:
            there = its.get("digest"), its.get("plan", {}).get("training", {}).get("epochs")
            if there != (of_images, plan.training.epochs):
                raise HemostreamError(
                    f"{out / name} holds a report of other images or of another profile. Give another place "
                    "with --out, or --overwrite to replace it."
                )
            say(f"{name}: its report is whole and is kept.")
            continue
        with shown(None) as tell:
            run_segmented(SEGMENTED[name], data, out / name, plan=plan, tell=tell, cache=out / "cache")
    for name in names:
        if (its := results_in(out / name)) is not None:
            for structure, figures in its["structures"].items():
                say(f"{name}: {structure}: Dice {_figure(figures['dice'])}")
        say(f"Report: {out / name / 'report.html'}")


def refuse_other_reports(out: Path, names: Sequence[str], data: str, profile: str) -> None:
    """Refuse reports of other data, or of another profile, in the place of those that are to be written."""
    for name in names:
        its = results_in(out / name)
        if its is None:
            continue
        for what, there, asked in (
            ("other data, or made by other versions of software", its.get("data", {}).get("digest"), data),
            ("another profile", its.get("profile", {}).get("name"), profile),
        ):
            if there is not None and there != asked:
                raise HemostreamError(
                    f"{out / name} holds a report of {what}: {str(there)[:12]}; expected {asked[:12]}. Give "
                    "another place with --out, or --overwrite to replace it."
                )


def results_in(folder: Path) -> Mapping[str, Any] | None:
    """What a report says; None where there is none that is whole."""
    try:
        its = json.loads(read_regular(folder / "results.json").decode("utf-8"))
    except (OSError, ValueError):
        return None
    return its if isinstance(its, dict) else None


def figure_of_study(results: Mapping[str, Any]) -> str:
    """What was found on unseen sites, with its interval, and what permuted labels give.

    Parameters
    ----------
    results : mapping
        What results.json holds.
    """
    conditions, parts = results["conditions"], []
    for condition in ("unseen site", "10-fold"):
        if condition in conditions and "auc" in conditions[condition]:
            parts.append(f"{condition} AUC {_figure(conditions[condition]['auc'])}")
    if parts:
        null = (results.get("null") or {}).get("auc")
        if null:
            parts.append(
                f"under {null['permutations']} permutations {null['mean']:.3f} with SD {null['sd']:.3f}"
            )
        return "; ".join(parts)
    condition, its = next(iter(conditions.items()))
    p = its["r"].get("p") if "r" in its else None
    return (
        f"{condition}: r {_figure(its['r'])}" + ("" if p is None else f", p {p:.3f}")
        if "r" in its
        else condition
    )


def _figure(its: Mapping[str, Any]) -> str:
    value, interval = its["value"], its.get("interval")
    if value is None:
        return "not computed"
    shown = "" if interval is None else f" (95 % {interval[0]:.3f} to {interval[1]:.3f})"
    return f"{value:.3f}{shown}"
