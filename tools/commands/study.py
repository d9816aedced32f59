"""``hemostream study``: published systems, listed and run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from models.errors import HemostreamError
from models.outside import printable
from tools.commands.study_export import export
from tools.commands.study_reports import (
    figure_of_study,
    refuse_other_reports,
    results_in,
    run_on_cohort,
    run_on_images,
)
from tools.messages import columns, markdown_for_terminal, say
from tools.outputs import Out, check_report

app = App(
    name="study",
    help="Published fMRI systems: list, run, write as bundles.",
    default_parameter=Parameter(negative=()),
)
app.command(export)
DATA = {"abide": "ABIDE", "impac": "IMPAC", "folder": "scans of your own"}
"""What a layout of data is called in a message."""
ALL_COLUMNS = 130
"""Width of a terminal on which everything about the systems has room."""


@app.command(name="list")
def list_(*, report: Path | None = None) -> None:
    """List the systems: what each claims, what it is given, and whether "study export" can write it.

    Parameters
    ----------
    report : Path
        Folder that "study run" wrote to: a column more says what the honest protocol gave there.
    """
    from rich.console import Console
    from rich.table import Table

    from offline.studies import STUDIES
    from offline.studies.choice import honest
    from offline.studies.recorded import RECORDED
    from offline.studies.segmented import SEGMENTED

    if report is not None and not report.is_dir():
        raise HemostreamError(f"There is no folder {report}; expected the --out of hemostream study run.")
    console = Console()
    if columns(sys.stdout) is None:
        console.width = 180
    narrow = console.width < ALL_COLUMNS
    table = Table(title="Published systems, and what they are compared with", show_edge=not narrow)
    table.add_column("name", no_wrap=True)  # it is what "study run" takes
    table.add_column("system", min_width=10, overflow="fold")
    table.add_column(
        "claimed: accuracy/\nsensitivity/\nspecificity, %", width=17 if narrow else None, overflow="fold"
    )
    if report is not None:
        table.add_column("here, unseen site: accuracy, AUC (95 %)", overflow="fold")
    if report is None or not narrow:
        table.add_column("given", overflow="fold")
    table.add_column("bundle" if narrow else "exportable")

    def add(name: str, title: str, claimed: str, given: str, exportable: str) -> None:
        cells = [name, title, claimed]
        if report is not None:
            cells.append(honest(report / name) if name in STUDIES else "")
        if report is None or not narrow:
            cells.append(given)
        table.add_row(*cells, exportable.partition(",")[0] if narrow else exportable)

    for study in STUDIES.values():
        claimed = "\n".join(str(claim) for claim in study.paper.claims) or f"({study.role})"
        exportable = "yes" if not (why := study.not_exportable_because) else f"no, because {why}"
        add(study.name, study.title, claimed, study.table, exportable)
    for system in RECORDED.values():
        claimed = "\n".join(str(claim) for claim in system.paper.claims)
        exportable = (
            "yes, by hemostream train" if not (why := system.not_exportable_because) else f"no, because {why}"
        )
        add(system.name, system.title, claimed, f"recordings (recipe {system.recipe})", exportable)
    for found in SEGMENTED.values():
        claimed = "\n".join(str(claim) for claim in found.paper.claims) or "(segmentation: no groups)"
        add(found.name, found.title, claimed, "images and labels", "yes")
    console.print(table)
    if narrow:
        console.print("Why a system has no bundle is shown on a wider terminal, and in a file.")
    console.print(
        "Systems of recordings take a cohort, li2019 a folder of images and labels; all others take scans."
    )


@app.command(name="sites")
def sites(*, data: Path, out: Out, overwrite: bool = False) -> None:
    """Predict the site itself from your scans, before and after they are harmonised.

    Ten folds of people, and the diagnosis in the same folds. Writes sites.json and sites.html.

    Parameters
    ----------
    data : Path
        Folder of ABIDE as nilearn lays it out, or of your own series with a phenotype table.
    out : Path
        Report folder to write.
    overwrite : bool
        Replace a report that is there already.
    """
    from offline.base.progress import shown
    from offline.base.remarks import show
    from offline.scans import read_scans
    from offline.studies.site_decoding import run_sites

    check_report(out, overwrite=overwrite, page="sites.json")
    with written(out), shown(None) as tell:
        scans = read_scans(data)
        show(scans.remarks)
        print(markdown_for_terminal(run_sites(scans, out, tell=tell)))
    say(f"Report: {out / 'sites.html'}")


@app.command(name="run")
def run(
    names: list[str] | None = None,
    *,
    data: Path,
    out: Out,
    all_: Annotated[bool, Parameter(name="--all")] = False,
    profile: Literal["quick", "full"] = "quick",
    target: str = "diagnosis",
    derivative: str = "",
    atlas: Path | None = None,
    measure: Literal["series", "reho"] = "series",
    workers: int = 0,
    audit: Annotated[bool, Parameter(negative="--no-audit")] = True,
    allow_damaged: bool = False,
    overwrite: bool = False,
) -> None:
    """Evaluate systems on your own scans, or on ABIDE: by unseen site, in ten folds, on permuted labels.

    A run that was stopped goes on where it was when it is started again with the same --out, and further
    systems may be added to those that are there: neither overwrites anything. Writes a page for each
    system, and index.html, studies.md and studies.json over all that --out holds.

    Parameters
    ----------
    names : list of str
        Of systems, as "study list" names them.
    data : Path
        Folder of ABIDE as nilearn lays it out, of ADHD-200, of IMPAC, or of your own scans with a phenotype
        table; for xu2019 and xu2020 a cohort of fNIRS recordings (cohort.tsv); for li2019 a folder of images
        and labels.
    out : Path
        Folder of reports to write; each system has a folder of its own in it.
    all_ : bool
        All systems that can take these data (series, a table, or recordings).
    profile : str
        quick (ten folds once, 19 permutations) or full (five times, 199); a cohort's is its recipe's.
    target : str
        What is predicted: diagnosis; of ADHD-200 type (TD, combined, inattentive) or type-pair (combined,
        inattentive); or a score of the data, a continuous target (of ADHD-200: score, inattentive,
        hyperactive).
        Other targets than the diagnosis have a folder of their own within --out.
    derivative : str
        Of ADHD-200: alff (the default) or graphs.
    atlas : Path
        Image of labels, where the files of your own table are 4-D NIfTI.
    measure : str
        Of such images: region series, or each region's homogeneity (reho), a table.
    workers : int
        Processes that share the folds; 0 is one a core. The figures do not depend on it.
    audit : bool
        Whether every system is also run by leakage protocols at one site, next to its honest twin: what an
        accuracy is worth shows only there, and it takes a small part of a run's time.
    allow_damaged : bool
        Take what is left of a cohort's recordings of which much cannot be read.
    overwrite : bool
        Replace reports of other data or of another profile in --out.
    """
    from models.files.output_place import check_folder
    from offline.base.process_pool import Workers, how_many
    from offline.base.progress import shown
    from offline.base.remarks import show
    from offline.base.result_cache import new_folder
    from offline.scans import layout_of, read_scans
    from offline.studies import STUDIES
    from offline.studies.choice import can_run, folder_of, summarise, wanted_on
    from offline.studies.profile import PROFILES
    from offline.studies.recorded import is_cohort
    from offline.studies.run import run_study
    from offline.studies.segmented import is_labelled_images
    from offline.studies.tables import digest

    wanted = wanted_on(data, names or (), everything=all_, target=target)
    workers = how_many(workers)
    if derivative and (layout := layout_of(data)) != "adhd200":
        raise HemostreamError(
            f"--derivative {derivative} is for ADHD-200; {data} holds "
            f"{DATA.get(layout or '', 'something else')}. Leave it away."
        )
    out = folder_of(out, target)
    for name in wanted:  # a file may be in the place of one of them
        check_folder(out / name, "The report")
    if is_labelled_images(data):
        run_on_images(wanted, data, out, profile, overwrite)
        return
    if is_cohort(data):
        run_on_cohort(wanted, data, out, workers, allow_damaged, overwrite)
        return
    left_out: list[str] = []
    with written(out), new_folder(out), shown(None) as tell, Workers(workers) as shared:
        tell("read", 0, 1, str(data))
        options: dict[str, object] = {"what": derivative} if derivative else {}
        if atlas is not None:
            options |= {"atlas": atlas, "measure": measure}
        elif measure != "series":
            raise HemostreamError("Homogeneity is of images; give the atlas of regions with --atlas.")
        scans = read_scans(data, target=target, **options)
        show(scans.remarks)
        tell("read", 1, 1, f"{len(scans)} people")
        if all_:
            wanted = [name for name in wanted if can_run(STUDIES[name], scans)]
        if not overwrite:
            refuse_other_reports(out, wanted, digest(scans), profile)
        for name in wanted:
            try:
                run_study(
                    STUDIES[name],
                    scans,
                    out / name,
                    PROFILES[profile],
                    cache=out / "cache",
                    workers=shared,
                    audit=audit,
                    tell=tell,
                )
            except HemostreamError as error:
                left_out.append(f"{name} was left out: {error}")
                if not all_ or len(left_out) == len(wanted):
                    raise
        text = summarise(out)
    for each in left_out:
        say(f"hemostream: {printable(str(each), None, lines=True)}", error=True)
    print(markdown_for_terminal(text))
    for name in wanted:
        if (results := results_in(out / name)) is not None:
            say(f"{name}: {figure_of_study(results)}")
    say(f"Reports: {out / 'index.html'}")


@contextmanager
def written(out: Path) -> Iterator[None]:
    """Report files that cannot be written as an error of ours.

    Parameters
    ----------
    out : Path
        The folder that is written to.

    Raises
    ------
    HemostreamError
        In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        raise HemostreamError(
            f"{error.filename or out}: {error.strerror or error}. Make room, or give a folder that can be "
            "written to; what was computed is kept, and the same command goes on from there."
        ) from error
