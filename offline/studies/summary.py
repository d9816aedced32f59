"""All studies of a folder as one table: ``studies.md``, ``studies.json`` and ``index.html``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.private import write_private
from offline.report.words import RESEARCH
from offline.studies.division import TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.studies.leakage_section import BY_PROTOCOL, by_protocol, highest
from offline.studies.page import stands_in
from offline.studies.sheet import (
    figure,
    links,
    listed,
    markdown,
    number,
    table,
    text,
    write_json,
    write_sheet,
)

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
    "leakage protocol's accuracy, one site",
    "fits",
    "s",
)
LEAKAGE = (
    "Leakage protocols, each beside an honest twin of the same people of one site, rows and chance: "
    "accuracy, and in brackets the mean on permuted labels, which mean nothing."
)


def write_over_all(
    out: Path, all_results: Sequence[Mapping[str, Any]], title: str, said: str, parts: Sequence[str]
) -> str:
    """Write the three files.

    Parameters
    ----------
    out : path
        Folder of all.
    all_results : sequence of mapping
        Of each study.
    title : str
        Of the page.
    said : str
        The tables, as Markdown.
    parts : sequence of str
        What the page says of them, as HTML.

    Returns
    -------
    str
        ``said``.
    """
    write_private(out / "studies.md", said)
    write_json(out / "studies.json", list(all_results))
    whole = [f"<h1>{text(title)}</h1>", f"<p>{text(RESEARCH)}</p>", *parts]
    write_sheet(out / "index.html", title, whole, wide=True)
    return said


def write_summary(
    out: Path,
    all_results: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    notes: Sequence[str] = (),
) -> str:
    """Write ``studies.md``, ``studies.json`` and ``index.html`` over all studies.

    Parameters
    ----------
    out : path
        Folder of all.
    all_results : sequence of mapping
        Of each study.
    seconds : mapping of str to float
        What each took.
    notes : sequence of str
        What is to be known of the table.

    Returns
    -------
    str
        The table, and that of leakage protocols where they were tried, as Markdown.
    """
    rows = [_row(results, seconds.get(results["study"]["name"], 0.0)) for results in all_results]
    audited = [row for results in all_results if (row := by_protocol(results)) is not None]
    said = [markdown(HEAD, rows), *notes]
    parts = [table(HEAD, rows), listed("", notes)]
    if audited:
        said += [LEAKAGE, markdown(BY_PROTOCOL, audited)]
        parts += [f"<p>{text(LEAKAGE)}</p>", table(BY_PROTOCOL, audited)]
    parts.append(links(all_results))
    return write_over_all(out, all_results, "Published systems", "\n\n".join(said) + "\n", parts)


def _row(results: Mapping[str, Any], seconds: float) -> tuple[str, ...]:
    arms, study = results["arms"], results["study"]
    own = arms.get(UNSEEN_SITE, arms[TENFOLD])

    def area(arm: str) -> str:
        return number(arms[arm]["auc"]["value"]) if arm in arms else "–"

    return (
        study["title"],
        ("; ".join(study["claimed"]) or "–")
        + (f"; {study['disorder']}: not compared" if stands_in(results) else ""),
        f"{own['accuracy']:.3f} / {number(own['balanced_accuracy']['value'])}",
        figure(own["auc"]["value"], own["auc"]["interval"]),
        _beside(results.get("beside_ridge")),
        number(own["auc_over_all"]),
        area(TRANSDUCTIVE),
        area(TENFOLD),
        number(results["null"]["auc"]["mean"]) if results["null"] else "–",
        highest(results),
        str(results["fits"]),
        f"{seconds:.0f}",
    )


def _beside(its: Mapping[str, Any] | None) -> str:
    if its is None:
        return "–"
    low, high = its["interval"]
    return f"{its['difference']:+.3f} ({low:+.3f} to {high:+.3f})"
