"""``hemostream study``: published systems, listed and run."""

import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from models.errors import HemostreamError
from models.outside import printable
from tools.commands.study_export import export

app = App(name="study", help="Published systems: what they claim, and what an honest protocol gives.")
app.command(export)
DATA = {"abide": "ABIDE", "impac": "IMPAC", "folder": "scans of your own"}
"""What a layout of data is called in a message."""
ALL_COLUMNS = 130
"""Width of a terminal on which all that is told of the systems has room."""


@app.command(name="list")
def list_(out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None) -> None:
    """List the systems: what each claims, what it is given, and whether "study export" can write it.

    Parameters
    ----------
    out : Path
        Folder that "study run" wrote to: a column more says what the honest protocol gave there.
    """
    from rich.console import Console
    from rich.table import Table

    from offline.studies import STUDIES
    from offline.studies.choice import honest
    from offline.studies.recorded import RECORDED

    if out is not None and not out.is_dir():
        raise HemostreamError(f"There is no folder {out}; expected the --out of hemostream study run.")
    console = Console()
    if not console.is_terminal:
        console.width = 180
    narrow = console.width < ALL_COLUMNS
    table = Table(title="Published systems, and what they are judged against", show_edge=not narrow)
    table.add_column("name", no_wrap=True)  # it is what "study run" takes
    table.add_column("system", min_width=10, overflow="fold")
    table.add_column(
        "claimed: accuracy/\nsensitivity/\nspecificity, %", width=17 if narrow else None, overflow="fold"
    )
    if out is not None:
        table.add_column("here, unseen site: accuracy, AUC (95 %)", overflow="fold")
    if out is None or not narrow:
        table.add_column("given", overflow="fold")
    table.add_column("bundle" if narrow else "exportable")

    def add(name: str, title: str, claimed: str, given: str, exportable: str) -> None:
        cells = [name, title, claimed]
        if out is not None:
            cells.append(honest(out / name) if name in STUDIES else "")
        if out is None or not narrow:
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
    console.print(table)
    if narrow:
        console.print("Why there is no bundle of a system is told on a wider terminal, and in a file.")
    console.print("Systems of recordings take a cohort; all others take scans.")


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
    from models.output_place import check_folder
    from offline.base.progress import shown
    from offline.base.remarks import show
    from offline.scans import read_scans
    from offline.studies.site_tell_page import run_sites

    check_folder(out, "The report")
    with written(out), shown(None) as tell:
        scans = read_scans(data)
        show(scans.remarks)
        print(for_terminal(run_sites(scans, out, tell=tell)))
    print(f"Report: {out / 'sites.html'}")


@app.command(name="run")
def run(
    names: Annotated[list[str] | None, Parameter(negative="")] = None,
    *,
    data: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    profile: Literal["quick", "full"] = "quick",
    target: str = "diagnosis",
    derivative: str = "",
    atlas: Path | None = None,
    measure: Literal["series", "reho"] = "series",
    workers: int = 0,
    audit: Annotated[bool, Parameter(negative="--no-audit")] = True,
    allow_damaged: bool = False,
) -> None:
    """Evaluate systems on your own scans, or on ABIDE: by unseen site, in ten folds, on permuted labels.

    A run that was stopped goes on where it was when it is started again with the same --out. Writes a page
    for each system, and index.html, studies.md and studies.json over all that --out holds.

    Parameters
    ----------
    names : list of str
        Of systems, as "study list" tells them.
    data : Path
        Folder of ABIDE as nilearn lays it out, of ADHD-200, of IMPAC, or of your own scans with a phenotype
        table; for xu2019 and xu2020 a cohort of fNIRS recordings (cohort.tsv).
    out : Path
        Folder for the reports; a folder of its own for each system.
    all_ : bool
        All systems that can take these data (series, a table, or recordings).
    profile : str
        quick (ten folds once, 19 permuted labellings) or full (five times, 199); a cohort's is its recipe's.
    target : str
        What is told: diagnosis; of ADHD-200 type (TD, combined, inattentive) or type-pair (combined,
        inattentive); or a score of the data as an amount (of ADHD-200: score, inattentive, hyperactive).
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
        Whether every system is also run by leakage protocols at one site, each beside its honest twin: what
        an accuracy is worth shows only there, and it takes a small part of a run's time.
    allow_damaged : bool
        Take what is left of a cohort's recordings of which much cannot be read.
    """
    from models.output_place import check_folder
    from offline.base.process_pool import Workers, how_many
    from offline.base.progress import shown
    from offline.base.remarks import show
    from offline.base.result_cache import new_folder
    from offline.scans import layout_of, read_scans
    from offline.studies import STUDIES
    from offline.studies.choice import can_tell, folder_of, run_cohort, run_one, summarise, wanted_on
    from offline.studies.division import PROFILES
    from offline.studies.recorded import is_cohort

    wanted = wanted_on(data, names or (), everything=all_, target=target)
    workers = how_many(workers)
    if derivative and (layout := layout_of(data)) != "adhd200":
        raise HemostreamError(
            f"--derivative {derivative} is for ADHD-200; {data} holds "
            f"{DATA.get(layout or '', 'something else')}. Leave it away."
        )
    out = folder_of(out, target)
    for name in wanted:  # a file may stand in the place of one of them
        check_folder(out / name, "The report")
    if is_cohort(data):
        run_cohort(wanted, data, out, workers=workers, allow_damaged=allow_damaged)
        print(f"Reports: {', '.join(str(out / name / 'report.html') for name in wanted)}")
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
            wanted = [name for name in wanted if can_tell(STUDIES[name], scans)]
        for name in wanted:
            try:
                run_one(
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
        told = summarise(out)
    for each in left_out:
        print(f"hemostream: {printable(str(each), None, lines=True)}", file=sys.stderr)
    print(for_terminal(told))
    print(f"Reports: {out / 'index.html'}")


def for_terminal(told: str) -> str:
    """Markdown as it is in a file; on a terminal on which its tables have no room, a line a figure.

    Parameters
    ----------
    told : str
        Texts and tables.
    """
    width = shutil.get_terminal_size().columns
    lines = told.splitlines()
    if not sys.stdout.isatty() or all(len(line) <= width for line in lines if line.startswith("| ")):
        return told
    out: list[str] = []
    head: list[str] = []
    for line in lines:
        if not line.startswith("| "):
            head = []
            out += textwrap.wrap(line, width) or [""]
            continue
        cells = [cell.replace("\\|", "|") for cell in re.split(r" (?<!\\)\| ", line[2:-2])]
        if not head:
            head = cells
        elif set(cells) != {"---"}:
            out += textwrap.wrap(cells[0], width)
            for name, cell in zip(head[1:], cells[1:], strict=True):
                out += textwrap.wrap(
                    f"{name}: {cell or '–'}", width, initial_indent="  ", subsequent_indent=" " * 6
                )
    return "\n".join(out) + "\n"


@contextmanager
def written(out: Path) -> Iterator[None]:
    """Where files cannot be written, say so plainly.

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
