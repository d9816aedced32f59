"""``hemostream study``: the systems of the review, listed and run."""

import json
import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from models.errors import HemostreamError, near_match

app = App(name="study", help="The systems of the review: what they claim, and what an honest protocol gives.")


@app.command(name="list")
def list_() -> None:
    """List the systems: what each claims, what it is given, and whether a bundle could hold it.

    No study is written into a bundle yet; the last column says for which nothing stands against it.
    """
    from rich.console import Console
    from rich.table import Table

    from offline.studies import STUDIES

    table = Table(title="Systems of the review, and what they are judged against")
    for column in (
        "name",
        "system",
        "claimed: accuracy/sensitivity/specificity, %",
        "given",
        "could be exported",
    ):
        table.add_column(column)
    for study in STUDIES.values():
        claimed = "\n".join(str(claim) for claim in study.claims) or f"({study.role})"
        exportable = "yes" if not study.exportable else f"no, because {study.exportable}"
        table.add_row(study.name, study.title, claimed, study.table, exportable)
    console = Console()
    if not console.is_terminal:
        console.width = 180
    console.print(table)
    console.print(
        "The Xu systems are recipes: hemostream evaluate COHORT --recipe xu2019 (or xu2020) --audit"
    )


@app.command(name="sites")
def sites(*, data: Path, out: Annotated[Path, Parameter(name=["--out", "-o"])]) -> None:
    """Tell how well the site itself is told from your scans, before and after they are harmonised.

    Ten folds of people; beside it stands the diagnosis in the same folds. Writes sites.json and sites.html.

    Parameters
    ----------
    data : Path
        Folder of ABIDE as nilearn lays it out, or of your own series with a phenotype table.
    out : Path
        Folder for the report.
    """
    from offline.progress import shown
    from offline.scans import read_scans
    from offline.studies.site_tell_page import run_sites

    with shown(None) as tell:
        print(run_sites(read_scans(data), out, tell=tell))
    print(f"Report: {out / 'sites.html'}")


@app.command(name="run")
def run(
    names: Annotated[list[str] | None, Parameter(negative="")] = None,
    *,
    data: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    profile: Literal["quick", "full"] = "quick",
    workers: int = 0,
) -> None:
    """Evaluate systems on your own scans, or on ABIDE: by unseen site, in ten folds, on permuted labels.

    A run that was stopped goes on where it was when it is started again with the same --out. Writes a page
    for each system, and index.html, studies.md and studies.json over all that --out holds.

    Parameters
    ----------
    names : list of str
        Of systems, as "study list" tells them.
    data : Path
        Folder of ABIDE as nilearn lays it out, or of your own series with a phenotype table.
    out : Path
        Folder for the reports; a folder of its own for each system.
    all_ : bool
        All systems that can take these data (series, or a table).
    profile : str
        quick (ten folds once, 19 permuted labellings) or full (five times, 199).
    workers : int
        Processes that share the folds; 0 is one a core. The figures do not depend on it.
    """
    from offline.progress import shown
    from offline.scans import read_scans
    from offline.studies import STUDIES
    from offline.studies.division import PROFILES
    from offline.studies.page import write_summary
    from offline.studies.running import run_study
    from offline.studies.tables import can_take

    wanted = list(STUDIES) if all_ else list(names or ())
    if not wanted:
        raise HemostreamError("Name a system (hemostream study list tells them), or give --all.")
    for name in wanted:
        if name not in STUDIES:
            raise HemostreamError(f"There is no system {name!r}. {near_match(name, tuple(STUDIES))}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HemostreamError(f"The folder {out} cannot be made: {error.strerror}.") from error
    with shown(None) as tell:
        tell("read", 0, 1, str(data))
        scans = read_scans(data)
        tell("read", 1, 1, f"{len(scans)} people")
        if all_:
            wanted = [name for name in wanted if can_take(STUDIES[name].table, scans)]
        for name in wanted:
            run_study(
                STUDIES[name],
                scans,
                out / name,
                PROFILES[profile],
                cache=out / "cache",
                workers=workers or os.cpu_count() or 1,
                tell=tell,
            )
    done = [each for each in STUDIES if (out / each / "results.json").exists()]
    results = [json.loads((out / each / "results.json").read_text(encoding="utf-8")) for each in done]
    seconds = {
        each: sum(json.loads((out / each / "run.json").read_text(encoding="utf-8"))["seconds"].values())
        for each in done
    }
    print(write_summary(out, results, seconds))
    print(f"Reports: {out / 'index.html'}")
