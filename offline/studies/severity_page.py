"""What a table tells of an amount, as a page that needs nothing but itself, and all studies as one table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offline.report.words import ALPHA, RESEARCH
from offline.studies.division import TENFOLD, UNSEEN_SITE
from offline.studies.sheet import figure, links, listed, markdown, number, table, text, write_sheet
from offline.studies.summary import write_over_all

HEAD = ("told from", "people", "r within folds (95 %)", "p", "R²", "p", "MAE", "p")
SITES = ("site", "people", "mean", "SD", "least", "most")
TRAITS = "age and sex"
UNITS = (
    "Sites measure on scales of their own, so amounts are in SDs of the site from its mean, both taken from "
    "training people of the site. On unseen sites nobody knows the scale: there the mean and SD of the "
    "judged people themselves are taken, which no model sees; r is the figure that counts there. People are "
    "correlated within a fold and a site. R² is against the mean: below 0, guessing it would be better. A p "
    "says whether it is chance, not whether it is the brain: what age and sex alone give stands beside it."
)
ALONE = (
    "Rows of one group alone are of the same predictions: severity goes with the diagnosis, so only they "
    "say whether more is told than who has it."
)


def write_page(out: Path, results: Mapping[str, Any]) -> None:
    """Write ``report.html`` of one study of an amount.

    Parameters
    ----------
    out : path
        Its folder.
    results : mapping
        What ``results.json`` holds.
    """
    study, data = results["study"], results["data"]
    sites = [
        (name, str(its["people"]), *(f"{its[each]:.1f}" for each in ("mean", "sd", "least", "most")))
        for name, its in data["sites"].items()
    ]
    parts = [
        f"<h1>{text(study['title'])}: {text(data['target'])}</h1>",
        f"<p>{text(RESEARCH)}</p>",
        f"<p>Ridge regression on the table {text(study['table'])!r}, its penalty by leaving out one "
        f"training person at a time. {text(said(results))}</p>",
        f"<p>{text(UNITS)} {text(ALONE)}</p>",
        table(HEAD, [_row(arm, its) for arm, its in results["arms"].items()]),
        f"<p>p: of {results['profile']['permutations']} labellings permuted between people of one site, "
        "the whole procedure each time.</p>",
        "<h2>Data</h2>",
        f"<p>{text(data['derivative'])}; {data['people']} people.</p>",
        table(SITES, sites),
        listed("", data["remarks"]),
    ]
    write_sheet(out / "report.html", study["title"], parts)


def said(results: Mapping[str, Any]) -> str:
    """What was found on unseen sites, or in ten folds where there is one site, beside age and sex."""
    arms, given = results["arms"], results["study"]["table"]
    protocol = next(name for name in (UNSEEN_SITE, TENFOLD) if f"{given}, {name}" in arms)
    its, traits = arms[f"{given}, {protocol}"], arms[f"{TRAITS}, {protocol}"]
    r, p = its["r"]["value"], its["r"]["p"]
    if p is None:
        found = "whether this is chance was not estimated"
    elif p <= ALPHA and r > 0:
        found = f"more than chance (permutation p = {p:.3f})"
    else:
        found = f"at chance (permutation p = {p:.3f})"
    worse = "" if its["R2"]["value"] > 0 else ", so guessing the mean would be as good or better"
    return (
        f"{protocol}: r {number(r)}, {found}; R² {number(its['R2']['value'])}{worse}. Age and sex alone: r "
        f"{number(traits['r']['value'])}, R² {number(traits['R2']['value'])}."
    )


def write_summary(
    out: Path,
    all_results: Sequence[Mapping[str, Any]],
    seconds: Mapping[str, float],
    notes: Sequence[str] = (),
) -> str:
    """Write all studies of one amount as one table; parameters as of `summary.write_summary`."""
    head = ("system", "target", *HEAD, "s")
    rows = [
        (each["study"]["title"], each["data"]["target"], *_row(arm, its), "")
        for each in all_results
        for arm, its in each["arms"].items()
    ]
    last: dict[str, int] = {row[0]: i for i, row in enumerate(rows)}
    for each in all_results:
        i = last[each["study"]["title"]]
        rows[i] = (*rows[i][:-1], f"{seconds.get(each['study']['name'], 0.0):.1f}")
    say = {each["study"]["name"]: said(each) for each in all_results}
    parts = [
        f"<p>{text(UNITS)} {text(ALONE)}</p>",
        table(head, rows),
        listed("", notes),
        links(all_results, say),
    ]
    text_of_all = "\n\n".join([markdown(head, rows), *notes]) + "\n"
    return write_over_all(out, all_results, "Amounts", text_of_all, parts)


def _row(arm: str, its: Mapping[str, Any]) -> tuple[str, ...]:
    cells = [arm, str(its["people"])]
    for name in ("r", "R2", "MAE"):
        ends = its[name]["interval"] if name == "r" else None
        cells.append(figure(its[name]["value"], ends))
        cells.append(number(its[name]["p"]))
    return tuple(cells)
