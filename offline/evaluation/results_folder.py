"""The folder of an evaluation: what stands in it, and that nothing else is overwritten."""

import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from models.errors import HemostreamError
from models.files.output_place import check_folder
from models.files.private import replace_private
from offline.base.json_files import write_json
from offline.base.predictions import Predictions, write_predictions
from offline.base.sample_table import write_table
from offline.base.versions import versions
from offline.explain.maps import METHODS
from offline.report.evaluation import CHANNEL_MAP as MAP
from offline.report.evaluation import picture_of
from offline.report.folder import JSON, PAGE
from offline.report.leakage import draw_audit
from offline.report.maps import draw_channel_map, draw_explanation
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples
from realtime.pipeline import Pipeline

AUDIT, NETWORK_AUDIT = "audit", "audit-network"
"""Names of the leakage audits: of the ridge model, and of the recipe's own network."""
WORK = "work"
"""Outcomes of folds are kept here until the run is whole."""
PICTURES = tuple(picture_of(method) for method in METHODS)
WRITTEN = (
    "results.json",
    "run.json",
    "predictions.csv",
    "samples.csv",
    *(f"{name}.{kind}" for name in (AUDIT, NETWORK_AUDIT) for kind in ("json", "png")),
    MAP,
    PAGE,
    JSON,
    *PICTURES,
    WORK,
)


def folder_for(out: str | Path) -> Path:
    """The folder of the report, looked at before anything is computed."""
    folder = Path(out)
    if folder.is_dir() and (others := sorted({each.name for each in folder.iterdir()} - set(WRITTEN))):
        raise HemostreamError(
            f"{folder} is not empty and is no report (it holds {', '.join(others[:5])}); "
            "nothing was computed. Give a new folder."
        )
    for name in WRITTEN:
        # Replaced at the end: what could not be is found now.
        there = folder / name
        if there.exists() and there.is_dir() != (name == WORK):
            kind, wanted = ("a folder", "a file") if there.is_dir() else ("a file", "a folder")
            raise HemostreamError(f"{there} is {kind}; expected {wanted}, or nothing. Give a new folder.")
    check_folder(folder, "The report")
    return folder


def clear(folder: Path) -> None:
    """Remove what an earlier evaluation wrote, so that no figure or picture of it passes for a new one.

    What is kept of folds stays: it is known by its content.
    """
    for name in WRITTEN:
        if name != WORK:
            (folder / name).unlink(missing_ok=True)


def write_results(
    folder: Path,
    predictions: Predictions,
    figures: Mapping[str, Any],
    run: Mapping[str, Any],
    samples: Samples,
) -> None:
    """Write the tables and the figures."""
    write_predictions(folder / "predictions.csv", predictions)
    write_table(folder / "samples.csv", samples.table, samples.labels)
    write_figures(folder, figures, run)


def write_figures(folder: Path, figures: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Write ``results.json``, the same from one run to the next, and ``run.json``, the rest."""
    write_json(folder / "results.json", figures)
    write_json(folder / "run.json", run)


def write_audit(folder: Path, audit: Mapping[str, Any], name: str = AUDIT) -> None:
    """Write a leakage audit as ``NAME.json``, and drawn as ``NAME.png``."""
    write_json(folder / f"{name}.json", audit)
    replace_private(folder / f"{name}.png")
    draw_audit(audit).savefig(folder / f"{name}.png", dpi=120)


def write_maps(folder: Path, figures: Mapping[str, Any], samples: Samples, recipe: Recipe) -> None:
    """Draw the explanations and the map of channels on the probe.

    Parameters
    ----------
    folder : path
        Of the evaluation.
    figures : mapping
        What ``results.json`` holds.
    samples, recipe
        What was evaluated.
    """
    spec = Pipeline(recipe.pipeline, samples.spec).spec_out
    for method, its in figures["explanations"].items():
        figure = draw_explanation(method, its, spec, samples.rate)
        replace_private(folder / picture_of(method))
        figure.savefig(folder / picture_of(method), dpi=130)
    if figures["channel_map"] is not None:
        replace_private(folder / MAP)
        draw_channel_map(figures["channel_map"], spec, samples.labels).savefig(folder / MAP, dpi=130)


def run_of(began: datetime, seconds: dict[str, float], workers: int, cluster: str | None) -> dict[str, Any]:
    """When, how long, by what: everything that may differ from one run to the next."""
    return {
        "began_utc": began.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "workers": workers,
        "cluster": cluster,
        "versions": versions(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "torch_threads": torch.get_num_threads(),
        },
    }
