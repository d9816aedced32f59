"""The folder of an evaluation: what stands in it, and that nothing else is overwritten."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from models.errors import HemostreamError
from models.files.output_place import check_folder, report_if_full
from models.files.private import replace_private
from offline.base.json_files import write_json
from offline.base.predictions import Predictions, write_predictions
from offline.base.sample_table import write_table
from offline.base.versions import versions
from offline.explain.maps import METHODS
from offline.report.evaluation import CHANNEL_MAP as MAP
from offline.report.evaluation import picture_of
from offline.report.folder import JSON, PAGE, write_report
from offline.report.leakage import draw_audit
from offline.report.maps import draw_channel_map, draw_explanation
from offline.samples.samples import Samples
from offline.samples.sides import with_one_montage
from offline.stats.regression import ContinuousPredictions, write_continuous

AUDIT, NETWORK_AUDIT = "audit", "audit-network"
"""Names of the leakage audits: of the ridge model, and of the recipe's own network."""
WORK = "work"
"""Results of folds are kept here until the run is whole."""
AGAIN = "Make room, and start the same command again"
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


Audits = Mapping[str, Mapping[str, Any]]
"""What leakage protocols gave, by the names of their files."""


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found.

    Parameters
    ----------
    predictions : Predictions or ContinuousPredictions
        The one table.
    figures : mapping
        What is in ``results.json``: JSON types, nothing of when or where.
    run : mapping
        What is in ``run.json``: times, versions, machine.
    """

    predictions: Predictions | ContinuousPredictions
    figures: dict[str, Any]
    run: dict[str, Any]


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


def write_results(folder: Path, results: Results, samples: Samples, audits: Audits) -> None:
    """Write everything that an evaluation found; what an earlier one wrote is removed.

    So no figure or picture of it passes for a new one.  What is kept of folds stays: it is known by its
    content.

    Parameters
    ----------
    folder : path
        As `folder_for` gave it.
    results : Results
        Tables, figures, run.
    samples : Samples
        What was evaluated.
    audits : mapping of str to mapping
        What leakage protocols gave, by the names of their files.

    Raises
    ------
    HemostreamError
        The disk is full.
    """
    of_windows = isinstance(results.predictions, Predictions)
    advice = f"{AGAIN}: what was computed of the folds is kept" if of_windows else AGAIN
    with report_if_full("The report", folder, advice):
        for name in WRITTEN:
            if name != WORK:
                (folder / name).unlink(missing_ok=True)
        if isinstance(results.predictions, Predictions):
            write_predictions(folder / "predictions.csv", results.predictions)
            write_table(folder / "samples.csv", samples.table, samples.labels)
            _write_maps(folder, results.figures, samples)
        else:
            write_continuous(folder / "predictions.csv", results.predictions)
        write_figures(folder, results.figures, results.run)
        for name, audit in audits.items():
            write_audit(folder, audit, name)
        write_report(folder)


def write_figures(folder: Path, figures: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Write ``results.json``, the same from one run to the next, and ``run.json``, the rest."""
    write_json(folder / "results.json", figures)
    write_json(folder / "run.json", run)


def write_audit(folder: Path, audit: Mapping[str, Any], name: str = AUDIT) -> None:
    """Write a leakage audit as ``NAME.json``, and drawn as ``NAME.png``."""
    write_json(folder / f"{name}.json", audit)
    _write_picture(draw_audit(audit), folder / f"{name}.png", dpi=120)


def _write_maps(folder: Path, figures: Mapping[str, Any], samples: Samples) -> None:
    """Draw the explanations and the map of channels on the probe."""
    for method, its in figures["explanations"].items():
        drawn = draw_explanation(method, its, samples.behind, samples.rate)
        _write_picture(drawn, folder / picture_of(method), dpi=130)
    if (channels := figures["channel_map"]) is not None:
        _write_picture(
            draw_channel_map(channels, with_one_montage(samples).behind, samples.labels),
            folder / MAP,
            dpi=130,
        )


def _write_picture(figure: Figure, path: Path, *, dpi: int) -> None:
    replace_private(path)
    figure.savefig(path, dpi=dpi)


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
