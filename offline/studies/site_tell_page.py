"""The site's telling as files: figures, a page, and a short table for the terminal."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import HemostreamError
from models.private import private_folder
from offline.base.progress import Tell
from offline.base.versions import versions
from offline.report.words import RESEARCH
from offline.scans import Scans
from offline.studies.sheet import figure, listed, markdown, table, text, write_json, write_sheet
from offline.studies.site_decoding import GAUSSIAN, HARMONISATIONS, LINEAR, decode_sites
from offline.studies.tables import AS_IT_IS, digest, table_of

HEAD = (
    "harmonisation",
    "site told, linear: balanced accuracy (95 %)",
    "site told, Gaussian kernel (95 %)",
    "diagnosis: AUC within folds (95 %)",
)
TITLE = "How well the site is told"


def run_sites(scans: Scans, out: Path, *, tell: Tell) -> str:
    """Tell the sites, and write ``sites.json``, ``sites-run.json`` and ``sites.html``.

    Parameters
    ----------
    scans : Scans
        Whose scans; series, whose connectivity is taken, or a table as it is.
    out : path
        Folder of the report, made if need be.
    tell : callable
        Told of progress.

    Returns
    -------
    str
        The table, as Markdown, with chance under it.
    """
    began = time.perf_counter()
    try:
        private_folder(out)
    except OSError as error:
        raise HemostreamError(f"The folder {out} cannot be made: {error.strerror}.") from error
    of = "correlation" if scans.is_series else AS_IT_IS
    X = np.load(table_of(of, scans, out / "cache"), mmap_mode="r", allow_pickle=False)
    results = {"table": of, "digest": digest(scans), **decode_sites(X, scans, tell=tell)}
    run = {"seconds": round(time.perf_counter() - began, 2), "versions": versions()}
    for name, values in (("sites.json", results), ("sites-run.json", run)):
        write_json(out / name, values)
    rows = as_rows(results)
    parts = [f"<h1>{text(TITLE)}</h1>", f"<p>{text(RESEARCH)}</p>", table(HEAD, rows)]
    write_sheet(out / "sites.html", TITLE, [*parts, listed("", notes(results))])
    return "\n".join([markdown(HEAD, rows), "", notes(results)[0], f"{run['seconds']:.0f} s"])


def as_rows(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row of text a harmonisation, under `HEAD`, of what `offline.studies.site_tell` gave."""
    return [
        (
            name,
            _figure(its["site"][LINEAR], "balanced_accuracy"),
            _figure(its["site"][GAUSSIAN], "balanced_accuracy"),
            _figure(its["diagnosis"], "auc"),
        )
        for name in HARMONISATIONS
        for its in (results["harmonisations"][name],)
    ]


def notes(results: Mapping[str, Any]) -> list[str]:
    """What is to be known of the table, chance first."""
    left_out = ", ".join(f"{name or '(none)'} ({n})" for name, n in results["left_out"].items())
    return [
        f"{results['people']} people of {len(results['sites'])} sites. Chance is {results['chance']:.3f}, "
        "one in as many as there are sites; the largest site holds "
        f"{results['majority_rate']:.3f} of the people, and always naming it has a balanced accuracy of "
        "chance.",
        f"{results['folds']} folds of people, alike in sites and diagnoses. Harmonisation is fitted to the "
        "people of training without their diagnoses; it knows every site, and the site of whoever is judged.",
        "The linear model can hardly see a site whose mean was taken out of every feature, whatever else of "
        "it is left (centred, its scores say nothing, and it names the largest site); the Gaussian kernel "
        "sees spreads and shapes too.",
        "Under chance: with the site, chance in the people of training was taken out, so that whoever is "
        "judged lies on the other side of it.",
        "Where age and sex are kept, sites that differ in them may be told by them.",
        "Intervals are from draws of people, the fitted models taken as given: rather too narrow.",
        f"Of {results['table']}: {results['derivative']}.",
        *([f"Left out, for they have under {results['folds']} people: {left_out}."] if left_out else []),
    ]


def _figure(its: Mapping[str, Any], name: str) -> str:
    return figure(its[name], its["interval"])
