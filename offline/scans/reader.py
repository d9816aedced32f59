"""One function for every source of scans; its files say what a folder holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from models.errors import RecipeError, RecordingError
from offline.scans.abide import is_abide, read_abide
from offline.scans.adhd200 import is_adhd200, read_adhd200
from offline.scans.base import DIAGNOSIS, Scans
from offline.scans.folder import phenotype_table, read_folder
from offline.scans.impac import is_impac, read_impac
from offline.scans.simulated import simulate_series
from offline.scans.targets import options_for, with_target
from offline.scans.twice import remark_same

SIMULATED = "simulated"
MOST_SHOWN = 12


class Layout(NamedTuple):
    """How scans may lie in a folder: in words for messages, how it is recognised, and what reads it."""

    words: str
    fits: Callable[[Path], object]
    read: Callable[..., Scans]


LAYOUTS = {
    "abide": Layout("ABIDE as nilearn lays it out (ABIDE_pcp/Phenotypic_*.csv)", is_abide, read_abide),
    "adhd200": Layout(
        "ADHD-200 (KKI.zip, OHSU.zip, Peking_1.zip, NYU_alff_ds.mat, PU_alff_ds.mat)",
        is_adhd200,
        read_adhd200,
    ),
    # Before the general layout: participants.csv is one of its names too.
    "impac": Layout("the IMPAC challenge (anatomy.csv and participants.csv)", is_impac, read_impac),
    "folder": Layout(
        "a phenotype table (phenotypes.tsv, participants.tsv, scans.tsv or .csv: person, file, diagnosis)",
        phenotype_table,
        read_folder,
    ),
}


def layout_of(folder: Path | str) -> str | None:
    """Which of `LAYOUTS` a folder or a table has; None where it has none of them."""
    place = Path(folder)
    names = LAYOUTS if place.is_dir() else ("folder",)
    return next((name for name in names if LAYOUTS[name].fits(place)), None)


def read_scans(source: Path | str, *, target: str = DIAGNOSIS, **options: Any) -> Scans:
    """Read scans of any layout.

    Parameters
    ----------
    source : Path or str
        A folder or a phenotype table (`LAYOUTS`), or ``"simulated"``.
    target : str
        What is predicted of them: ``"diagnosis"``, of ADHD-200 ``"type"`` (TD, combined, inattentive) or
        ``"type-pair"`` (combined, inattentive), or one of the data's scores, as a continuous target.
    **options
        Of the reader for this layout: `offline.scans.abide.read_abide`, `offline.scans.adhd200.read_adhd200`,
        `offline.scans.impac.read_impac`, `offline.scans.folder.read_folder`, or
        `offline.scans.simulated.simulate_series`.

    Returns
    -------
    Scans
        One a person.

    Raises
    ------
    RecordingError, RecipeError
        Where the folder holds nothing that is recognised (the message lists what it holds), or what it holds
        is wrong.
    """
    if str(source) == SIMULATED and not Path(source).exists():
        return with_target(simulate_series(**options_for(target, SIMULATED, options)).scans, target)
    layout = layout_of(source)
    if layout is None:
        raise RecordingError(_unknown(Path(source)))
    try:
        scans = LAYOUTS[layout].read(source, **options_for(target, layout, options))
    except TypeError as error:
        if "keyword argument" not in str(error) or not options:
            raise
        raise RecipeError(f"{source} is read as {layout}: {error}.") from error
    if layout != "folder":  # a user's own table is refused where it has one scan twice
        scans = replace(scans, remarks=(*scans.remarks, *remark_same(scans)))
    return with_target(scans, target, types=layout == "adhd200")


def _unknown(place: Path) -> str:
    expected = "; ".join(layout.words for layout in LAYOUTS.values())
    if not place.exists():
        return f"There is no folder or table {place}. Expected one of: {expected}; or 'simulated'."
    if place.is_file():
        return f"{place} is no table of comma- or tab-separated text. Expected one of: {expected}."
    names = sorted(each.name + ("/" if each.is_dir() else "") for each in place.iterdir())
    found = ", ".join(names[:MOST_SHOWN]) + (
        f" and {len(names) - MOST_SHOWN} more" if names[MOST_SHOWN:] else ""
    )
    inside = [each.name for each in sorted(place.iterdir()) if each.is_dir() and layout_of(each) is not None]
    say = f" Say which: {', '.join(str(place / name) for name in inside)}." if inside else ""
    held = f"{place} holds nothing that is recognised: {found or 'it is empty'}."
    return f"{held}{say} Expected one of: {expected}."
