"""The page of a folder, from the files that a command wrote there; it can be made again at any time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import HemostreamError
from models.files.regular_file import read_regular
from offline.base.json_files import read_json, write_json
from offline.base.predictions import read_predictions
from offline.report.continuous import continuous_evaluation_page, continuous_study_page
from offline.report.evaluation import AUDITS, EvaluationFiles, as_json, evaluation_page
from offline.report.page import ReportPage
from offline.report.segmentation import segmentation_page
from offline.report.sites import sites_page
from offline.report.study import study_page
from offline.stats.regression import read_continuous

PAGE, JSON = "report.html", "report.json"
SITES, SITES_PAGE = "sites.json", "sites.html"


def write_report(folder: Path) -> Path:
    """Make the page of an evaluation, of a study, or of a prediction of sites.

    Of the folder that was the ``--out`` of the command; a study's own. The page is returned; of an evaluation
    of windows the same is in ``report.json``.

    Raises
    ------
    HemostreamError
        The folder holds nothing that has a page.
    """
    if (folder / SITES).exists():
        return sites_page(_read(folder, SITES)).write(folder / SITES_PAGE)
    results = _read(folder, "results.json")
    try:
        return _page(folder, results).write(folder / PAGE)
    except KeyError as error:
        raise HemostreamError(
            f"{folder} holds a results.json without {error}: another version wrote it, or it is of something "
            "else. Run the command that wrote it again, with the same --out."
        ) from error


def _page(folder: Path, results: Mapping[str, Any]) -> ReportPage:
    table = folder / "predictions.csv"
    if "segmentation" in results:
        return segmentation_page(results)
    if "study" in results:
        amount = "unit" in results["data"]
        return continuous_study_page(results, read_continuous(table)) if amount else study_page(results)
    run = _read(folder, "run.json")
    if "continuous_target" in results:
        return continuous_evaluation_page(results, run, read_continuous(table))
    files = EvaluationFiles(
        results,
        run,
        read_predictions(table),
        audits={name: _read(folder, f"{name}.json") for name in AUDITS if (folder / f"{name}.json").exists()},
        pictures={path.name: read_regular(path) for path in sorted(folder.glob("*.png"))},
    )
    write_json(folder / JSON, as_json(files))
    return evaluation_page(files)


def _read(folder: Path, name: str) -> Any:
    return read_json(
        folder / name,
        absent="it is not the folder of an evaluation or of a study. Give the --out of hemostream evaluate, "
        "or the folder of one study in the --out of hemostream study run.",
        again="Run the command that wrote it again.",
    )
