"""What a study gave, as a page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from offline.report.words import RESEARCH
from offline.studies.base import Role
from offline.studies.division import OWN, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE
from offline.studies.leakage_section import section
from offline.studies.several_figures import recall_words
from offline.studies.sheet import figure, listed, number, table, text, write_sheet
from offline.studies.subgroups import HEAD as GROUP_HEAD
from offline.studies.subgroups import as_rows, words

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
        f"<h1>{text(study['title'])}</h1>",
        f"<p>{text(RESEARCH)}</p>",
        f"<p>{text(study['paper'])}</p>" if study["paper"] else "",
        f"<p><b>The paper claims</b> (accuracy/sensitivity/specificity, %): {text(claimed)}.</p>",
        f"<p><b>Here:</b> {text(study['ours'])}</p>",
        listed("The paper does not state, and was chosen here", study["unstated"]),
        "<h2>What it gives</h2>",
        table(HEAD, [arm_row(arm, results["arms"][arm]) for arm in ARMS if arm in results["arms"]]),
        listed("", [f"{arm}: {EXPLAINED[arm]}" for arm in ARMS if arm in results["arms"]]),
        f"<p>{text(results['transductive'])}</p>" if results.get("transductive") else "",
        f"<p>{text(null_words(results))}</p>",
        listed("Settings that were chosen, and in how many folds", _settings(results)),
        section(results),
        _subgroups(results.get("subgroups") or {}),
        "<h2>Data</h2>",
        f"<p>{text(data['derivative'])}; {data['people']} people.{text(_judged(data))}</p>",
        table(("site", *data["labels"]), _sites(data)),
        listed("", data["remarks"]),
    ]
    write_sheet(out / "report.html", study["title"], parts)


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
        figure(its["balanced_accuracy"]["value"], its["balanced_accuracy"]["interval"]),
        figure(its["auc"]["value"], its["auc"]["interval"]),
        number(its["auc_over_all"]),
        recall_words(its),
        "–" if its["auc"]["p"] is None else f"{its['auc']['p']:.3f}",
    )


def null_words(results: Mapping[str, Any]) -> str:
    """What permuted labels gave, in a sentence."""
    null = results["null"]
    if not null:
        return "No labels were permuted."
    own = null["auc"]
    how = "settings kept" if results["profile"].get("kept", True) else "the whole procedure each time"
    return (
        f"On {own['labellings']} permuted labellings (within sites, the same ten folds, {how}) the AUC is "
        f"{own['mean']:.3f}, SD {own['sd']:.3f}."
    )


def _judged(data: Mapping[str, Any]) -> str:
    return f" Judged are {data['judged']}; all are trained on." if data.get("judged") else ""


def _subgroups(its: Mapping[str, Any]) -> str:
    if not its:
        return ""
    tables = "".join(table((name, *GROUP_HEAD), rows) for name, rows in as_rows(its))
    return f"<h2>For whom it holds</h2><p class=note>{text(words(its))}</p>{tables}"


def _settings(results: Mapping[str, Any]) -> list[str]:
    return [
        f"{arm}: "
        + "; ".join(f"{_setting(name)}, {n} time{'' if n == 1 else 's'}" for name, n in chosen.items())
        for arm, chosen in results["settings"].items()
        if len(chosen) > 1
    ]


def _setting(said: str) -> str:
    return " and ".join(f"{name} {value}" for name, value in json.loads(said).items())


def _sites(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (site, *(str(counts.get(label, 0)) for label in data["labels"]))
        for site, counts in data["sites"].items()
    ]
