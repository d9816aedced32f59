"""The prediction of sites as files: figures, a page, and a short table for the terminal."""

import time
from pathlib import Path

import numpy as np

from models.errors import HemostreamError
from models.files.private import private_folder
from offline.base.json_files import write_json
from offline.base.progress import Tell
from offline.base.versions import versions
from offline.report.folder import write_report
from offline.report.sites import sites_notes, sites_table
from offline.scans import Scans
from offline.studies.site_decoding import decode_sites
from offline.studies.tables import AS_IT_IS, digest, table_of


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
    write_report(out)
    return "\n".join(
        [sites_table(results).markdown(), "", sites_notes(results)[0], f"{run['seconds']:.0f} s"]
    )
