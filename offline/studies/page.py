"""What a study gave, as a page that needs nothing but itself, and all studies as one table."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offline.report.words import RESEARCH
from offline.studies.base import Role
from offline.studies.careless.section import highest, section
from offline.studies.division import OWN, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.studies.several_figures import recall_words
from offline.studies.subgroups import HEAD as GROUP_HEAD
from offline.studies.subgroups import as_rows, words

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .6rem;border-bottom:1px solid #ccc;"
    "text-align:left;vertical-align:top;min-width:4.5rem}th{border-bottom:2px solid #444}.note{color:#555}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}td,th{border-color:#444}.note{color:#aaa}}"
)
VIEWPORT = "<meta name=viewport content='width=device-width,initial-scale=1'>"
ARMS = (UNSEEN_SITE, TRANSDUCTIVE, TENFOLD, OWN)
EXPLAINED = {
    UNSEEN_SITE: "everybody of a site judged by what was fitted to the other sites, one person at a time",
    TRANSDUCTIVE: "the same, but each site centred on its own people without their labels: it needs other "
    "people of the judged site",
    TENFOLD: "ten folds of people, sites on both sides",
    OWN: "the paper's own protocol within the site whose size is nearest to the paper's",
}
HEAD = ("", "people", "accuracy", "balanced accuracy", "AUC within folds", "AUC over all", "recall", "p")


def write_page(out: Path, results: Mapping[str, Any]) -> None:
    """Write ``report.html`` of one study.

    Parameters
    ----------
    out : path
        Its folder.
    results : mapping
        What ``results.json`` holds.
    """
    study, data = results["study"], results["data"]
    claimed = "; ".join(study["claimed"]) or "nothing: a baseline"
    if stands_in(results):
        claimed += f" (of {study['disorder']}: not to be compared with what these data give)"
    parts = [
        f"<h1>{_(study['title'])}</h1>",
        f"<p>{_(RESEARCH)}</p>",
        f"<p>{_(study['paper'])}</p>" if study["paper"] else "",
        f"<p><b>The paper claims</b> (accuracy/sensitivity/specificity, %): {_(claimed)}.</p>",
        f"<p><b>Here:</b> {_(study['ours'])}</p>",
        _list("The paper does not state, and was chosen here", study["unstated"]),
        "<h2>What it gives</h2>",
        _table(HEAD, [arm_row(arm, results["arms"][arm]) for arm in ARMS if arm in results["arms"]]),
        _list("", [f"{arm}: {EXPLAINED[arm]}" for arm in ARMS if arm in results["arms"]]),
        f"<p>{_(results['transductive'])}</p>" if results.get("transductive") else "",
        f"<p>{_(null_words(results))}</p>",
        _list("Settings that were chosen, and in how many folds", _settings(results)),
        section(results),
        _subgroups(results.get("subgroups") or {}),
        "<h2>Data</h2>",
        f"<p>{_(data['derivative'])}; {data['people']} people.{_(_judged(data))}</p>",
        _table(("site", *data["labels"]), _sites(data)),
        _list("", data["remarks"]),
    ]
    page = f"<!doctype html><html lang=en><meta charset=utf-8>{VIEWPORT}<title>{_(study['title'])}</title>"
    page += f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>"
    (out / "report.html").write_text(page + "\n", encoding="utf-8")


def write_plain(
    path: Path, title: str, notes: Sequence[str], head: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Write a page of one table and what is to be said of it.

    Parameters
    ----------
    path : path
        Of the page.
    title : str
        Its title.
    notes : sequence of str
        Under the table.
    head, rows : sequence of str, sequence of sequence of str
        The table.
    """
    page = f"<!doctype html><html lang=en><meta charset=utf-8>{VIEWPORT}<title>{_(title)}</title>"
    page += f"<style>{STYLE}</style>"
    page += f"<body><h1>{_(title)}</h1><p>{_(RESEARCH)}</p>{_table(head, rows)}{_list('', notes)}"
    path.write_text(f"{page}</body></html>\n", encoding="utf-8")


def stands_in(results: Mapping[str, Any]) -> bool:
    """Whether the data are of another disorder than the paper's."""
    return (
        results["study"]["role"] == Role.SYSTEM
        and results["study"]["disorder"] not in results["data"]["labels"]
    )


def arm_row(arm: str, its: Mapping[str, Any]) -> tuple[str, ...]:
    """One line of figures.

    Parameters
    ----------
    arm : str
        Its name.
    its : mapping
        What `offline.studies.figures` gave of it.
    """
    return (
        arm,
        str(its["people"]),
        f"{its['accuracy']:.3f} (majority {its['majority_rate']:.3f})",
        _figure(its["balanced_accuracy"]),
        _figure(its["auc"]),
        _number(its["auc_over_all"]),
        recall_words(its),
        "–" if its["auc"]["p"] is None else f"{its['auc']['p']:.3f}",
    )


def null_words(results: Mapping[str, Any]) -> str:
    """What permuted labels gave, in a sentence."""
    null = results["null"]
    if not null:
        return "No labels were permuted."
    own = null["auc"]
    return (
        f"On {own['labellings']} permuted labellings (within sites, the same ten folds, settings kept) the "
        f"AUC is {own['mean']:.3f}, SD {own['sd']:.3f}."
    )


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
        The table, as Markdown.
    """
    head = (
        "system",
        "published, %",
        "unseen site: accuracy / balanced",
        "AUC (95 %)",
        "less ridge's, paired",
        "AUC over all",
        "transductive AUC",
        "10-fold AUC",
        "permuted AUC",
        "careless accuracy at one site",
        "fits",
        "s",
    )
    rows = [_summary_row(results, seconds.get(results["study"]["name"], 0.0)) for results in all_results]
    lines = [f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *rows)]
    text = "\n".join([*lines, *(f"\n{note}" for note in notes)]) + "\n"
    (out / "studies.md").write_text(text, encoding="utf-8")
    whole = json.dumps(list(all_results), indent=1, allow_nan=False, ensure_ascii=False)
    (out / "studies.json").write_text(whole + "\n", encoding="utf-8")
    page = f"<!doctype html><html lang=en><meta charset=utf-8>{VIEWPORT}<title>Studies</title>"
    page += f"<style>{STYLE}</style>"
    page += f"<body><h1>The systems of the review</h1><p>{_(RESEARCH)}</p>{_table(head, rows)}"
    page += _list("", notes)
    links = "".join(
        f'<li><a href="{_(each["study"]["name"])}/report.html">{_(each["study"]["title"])}</a></li>'
        for each in all_results
    )
    (out / "index.html").write_text(f"{page}<ul>{links}</ul></body></html>\n", encoding="utf-8")
    return text


def _summary_row(results: Mapping[str, Any], seconds: float) -> tuple[str, ...]:
    arms, study = results["arms"], results["study"]
    own = arms.get(UNSEEN_SITE, arms[TENFOLD])

    def area(arm: str) -> str:
        return _number(arms[arm]["auc"]["value"]) if arm in arms else "–"

    return (
        study["title"],
        ("; ".join(study["claimed"]) or "–")
        + (f"; {study['disorder']}: not compared" if stands_in(results) else ""),
        f"{own['accuracy']:.3f} / {_number(own['balanced_accuracy']['value'])}",
        _figure(own["auc"]),
        _beside(results.get("beside_ridge")),
        _number(own["auc_over_all"]),
        area(TRANSDUCTIVE),
        area(TENFOLD),
        _number(results["null"]["auc"]["mean"]) if results["null"] else "–",
        highest(results),
        str(results["fits"]),
        f"{seconds:.0f}",
    )


def _judged(data: Mapping[str, Any]) -> str:
    return f" Judged are {data['judged']}; all are trained on." if data.get("judged") else ""


def _beside(its: Mapping[str, Any] | None) -> str:
    if its is None:
        return "–"
    low, high = its["interval"]
    return f"{its['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def _subgroups(its: Mapping[str, Any]) -> str:
    if not its:
        return ""
    tables = "".join(_table((name, *GROUP_HEAD), rows) for name, rows in as_rows(its))
    return f"<h2>For whom it holds</h2><p class=note>{_(words(its))}</p>{tables}"


def _settings(results: Mapping[str, Any]) -> list[str]:
    return [
        f"{arm}: " + ", ".join(f"{name} {n} times" for name, n in chosen.items())
        for arm, chosen in results["settings"].items()
        if len(chosen) > 1
    ]


def _sites(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (site, *(str(counts.get(label, 0)) for label in data["labels"]))
        for site, counts in data["sites"].items()
    ]


def _figure(its: Mapping[str, Any]) -> str:
    ends = "" if its["interval"] is None else f" ({its['interval'][0]:.3f} to {its['interval'][1]:.3f})"
    return _number(its["value"]) + ends


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    head = f"<p class=note>{_(title)}:</p>" if title else ""
    return f"{head}<ul class=note>{''.join(f'<li>{_(item)}</li>' for item in items)}</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first = "".join(f"<th>{_(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{_(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div style='overflow-x:auto'><table><tr>{first}</tr>{body}</table></div>"


def _(text: object) -> str:
    return html.escape(str(text))
