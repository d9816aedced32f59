"""All studies of a folder as one table: ``index.html``, ``studies.md`` and ``studies.json``."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.files.private import write_private
from offline.base.json_files import write_json
from offline.report.cells import NONE, difference, figure_of, number
from offline.report.continuous import HEAD as CONTINUOUS_HEAD
from offline.report.continuous import READ, UNITS, continuous_rows, in_short
from offline.report.leakage import across_studies, highest
from offline.report.page import Bullets, PageLinks, PageSection, Paragraph, ReportPage, Row, TextTable
from offline.report.study import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE, of_another_disorder

HEAD = (
    "system",
    "published, %",
    "unseen site: accuracy / balanced",
    "AUC (95 %)",
    "less ridge's, paired",
    "AUC over all",
    "transductive AUC",
    "10-fold AUC",
    "permuted AUC",
    "highest of a leakage protocol at one site",
    "fits",
    "s",
)


def write_overview(
    out: Path,
    all_results: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    notes: Sequence[str] = (),
) -> str:
    """Write the three files, of studies that are all of labels, or all of an amount.

    Parameters
    ----------
    seconds : mapping of str to float
        What each took.
    notes : sequence of str
        What is to be known of the table.

    Returns
    -------
    str
        ``studies.md``: the table, notes, and the table of leakage protocols where they were tried.
    """

    def took(results: Mapping[str, Any]) -> float:
        return seconds.get(results["study"]["name"], 0.0)

    amounts = any("unit" in each["data"] for each in all_results)
    if amounts:
        table = _of_amounts(all_results, took)
    else:
        table = TextTable(HEAD, [_row(each, took(each)) for each in all_results])
    leakage = across_studies(all_results)
    read = (UNITS, READ) if amounts else ()
    links = [
        (f"{each['study']['name']}/report.html", each["study"]["title"], in_short(each) if amounts else "")
        for each in all_results
    ]
    blocks = [*(Paragraph(text, note=True) for text in read), table, Bullets(notes)]
    sections = [
        PageSection("All in one table", blocks),
        PageSection("Leakage protocols", [leakage]) if leakage.rows else None,
        PageSection("A page each", [PageLinks(links)]),
    ]
    title = "Continuous targets" if amounts else "Published systems"
    ReportPage(title, sections, wide=True).write(out / "index.html")
    texts = [table.markdown(), *notes, *((leakage.caption, leakage.markdown()) if leakage.rows else ())]
    text = "\n\n".join(texts) + "\n"
    write_private(out / "studies.md", text)
    write_json(out / "studies.json", list(all_results))
    return text


def _row(results: Mapping[str, Any], seconds: float) -> Row:
    conditions, study = results["conditions"], results["study"]
    own = conditions.get(UNSEEN_SITE, conditions[TENFOLD])
    others = (conditions.get(name) for name in (TRANSDUCTIVE, TENFOLD))
    return (
        study["title"],
        ("; ".join(study["claimed"]) or NONE)
        + (f"; {study['disorder']}: not compared" if of_another_disorder(results) else ""),
        f"{own['accuracy']:.3f} / {number(own['balanced_accuracy']['value'])}",
        figure_of(own["auc"]),
        "{} ({})".format(*difference(ridge)) if (ridge := results.get("beside_ridge")) else NONE,
        number(own["auc_over_all"]),
        *(number(its["auc"]["value"]) if its else NONE for its in others),
        number(results["null"]["auc"]["mean"]) if results["null"] else NONE,
        highest(results),
        str(results["fits"]),
        f"{seconds:.0f}",
    )


def _of_amounts(
    all_results: Sequence[Mapping[str, Any]], took: Callable[[Mapping[str, Any]], float]
) -> TextTable:
    """A row a condition of each; a study's seconds stand in its last."""
    rows: list[Row] = []
    for each in all_results:
        own = continuous_rows(each)
        ends = [""] * (len(own) - 1) + [f"{took(each):.1f}"]
        names = (each["study"]["title"], each["data"]["target"])
        rows += [(*names, *row, end) for row, end in zip(own, ends, strict=True)]
    return TextTable(("system", "target", *CONTINUOUS_HEAD, "s"), rows)
