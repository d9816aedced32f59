"""The page of a study of labels, in sections; all from its ``results.json``."""

import json
from collections.abc import Mapping
from typing import Any

from offline.report.cells import figure, figure_of, number, times
from offline.report.leakage import study_section
from offline.report.page import Bullets, PageSection, Paragraph, ReportPage, Row, TextTable

UNSEEN_SITE, TRANSDUCTIVE = "unseen site", "unseen site, transductive"
TENFOLD, OWN = "10-fold", "paper's protocol"
"""Conditions, as ``results.json`` names them."""
EXPLAINED = {
    UNSEEN_SITE: "everybody of a site predicted by what was fitted to the other sites, one person at a time",
    TRANSDUCTIVE: "the same, but each site centred on its own people without their labels: it needs other "
    "people of the site that is predicted",
    TENFOLD: "ten folds of people, sites on both sides",
    OWN: "the paper's own protocol within the site whose size is nearest to the paper's",
}
HEAD = ("", "people", "accuracy", "balanced accuracy", "AUC within folds", "AUC over all", "recall", "p")
GROUP_FIGURES = ("majority", "accuracy (95 %)", "balanced accuracy (95 %)", "AUC (95 %)")
GROUP_HEAD = ("people", "of each label", *GROUP_FIGURES)


def study_page(results: Mapping[str, Any]) -> ReportPage:
    """The page."""
    sections = [claims(results), figures(results), study_section(results), subgroups(results), data(results)]
    return ReportPage(results["study"]["title"], sections, results["study"]["paper"])


def claims(results: Mapping[str, Any]) -> PageSection:
    """What the paper claims, and what it leaves open."""
    study = results["study"]
    claimed = "; ".join(study["claimed"]) or "nothing: a baseline"
    if of_another_disorder(results):
        claimed += f" (of {study['disorder']}: not to be compared with what these data give)"
    blocks = [
        Paragraph(f"{claimed}.", before="The paper claims (accuracy/sensitivity/specificity, %):"),
        Paragraph(study["ours"], before="Here:"),
        Bullets(study["unstated"], "The paper does not state, and was chosen here"),
    ]
    return PageSection("The system", blocks)


def of_another_disorder(results: Mapping[str, Any]) -> bool:
    """Whether the data are of another disorder than the paper's."""
    study = results["study"]
    return study["role"] == "system of the review" and study["disorder"] not in results["data"]["labels"]


def figures(results: Mapping[str, Any]) -> PageSection:
    """Every condition's figures, chance, and the settings that were chosen."""
    shown = {name: results["conditions"][name] for name in EXPLAINED if name in results["conditions"]}
    blocks = [
        TextTable(HEAD, [_row(name, its) for name, its in shown.items()]),
        Bullets([f"{name}: {EXPLAINED[name]}" for name in shown]),
        Paragraph(results.get("transductive") or ""),
        Paragraph(null_words(results)),
        Bullets(_settings(results), "Settings that were chosen, and in how many folds"),
    ]
    return PageSection("What it gives", blocks)


def _row(name: str, its: Mapping[str, Any]) -> Row:
    return (
        name,
        str(its["people"]),
        f"{its['accuracy']:.3f} (majority {its['majority_rate']:.3f})",
        figure_of(its["balanced_accuracy"]),
        figure_of(its["auc"]),
        number(its["auc_over_all"]),
        recall_words(its),
        number(its["auc"]["p"]),
    )


def recall_words(its: Mapping[str, Any]) -> str:
    """Each label's recall and interval, for a cell of a table."""
    ends = its["recall_interval"]
    return "; ".join(f"{label} {figure(value, ends[label])}" for label, value in its["recall"].items())


def null_words(results: Mapping[str, Any]) -> str:
    """What permuted labels gave, in a sentence."""
    if not results["null"]:
        return "No labels were permuted."
    own = results["null"]["auc"]
    how = "settings kept" if results["profile"].get("kept", True) else "the whole procedure each time"
    return (
        f"On {own['permutations']} permutations of the labels (within sites, the same ten folds, {how}) the "
        f"AUC is {own['mean']:.3f}, SD {own['sd']:.3f}."
    )


def _settings(results: Mapping[str, Any]) -> list[str]:
    def words(setting: str) -> str:
        return " and ".join(f"{name} {value}" for name, value in json.loads(setting).items())

    return [
        f"{name}: " + "; ".join(f"{words(each)}, {times(n, 'time')}" for each, n in chosen.items())
        for name, chosen in results["settings"].items()
        if len(chosen) > 1
    ]


def subgroups(results: Mapping[str, Any]) -> PageSection | None:
    """For whom the figures hold; None where groups were not compared."""
    its = results.get("subgroups")
    if not its:
        return None
    n = sum(each["figures"] is not None for groups in its["divisions"].values() for each in groups)
    words = (
        "The people of unseen sites, counted again within each group; no model was fitted for this. AUC "
        "compares people of the same group and the same site. Intervals of accuracy are exact (Clopper and "
        "Pearson), the others from draws of people; both take the fitted models as given, so they are "
        f"rather too narrow. Of {n} groups about one in twenty would miss the truth by chance alone, and "
        "groups differ in more than their name: sites differ in age and motion. A group under "
        f"{its['least']} people of either label has its number and no figure."
    )
    tables = [
        TextTable((name, *GROUP_HEAD), [_group_row(group) for group in groups])
        for name, groups in its["divisions"].items()
    ]
    return PageSection("For whom it holds", [Paragraph(words, note=True), *tables])


def _group_row(group: Mapping[str, Any]) -> Row:
    counts = ", ".join(f"{n} {label}" for label, n in group["n"].items())
    head = (group["group"], str(group["people"]), counts)
    its = group["figures"]
    if its is None:
        return (*head, "–", "too few", "–", "–")
    shown = (figure_of(its[name]) for name in ("accuracy", "balanced_accuracy", "auc"))
    return (*head, number(its["majority_rate"]), *shown)


def data(results: Mapping[str, Any]) -> PageSection:
    """Whose scans."""
    its = results["data"]
    predicted = f" Predicted are {its['predicted']}; all are trained on." if its.get("predicted") else ""
    sites = [
        (site, *(str(counts.get(label, 0)) for label in its["labels"]))
        for site, counts in its["sites"].items()
    ]
    return data_section(its, TextTable(("site", *its["labels"]), sites), predicted)


def data_section(its: Mapping[str, Any], sites: TextTable, predicted: str = "") -> PageSection:
    """Of which derivative and people a study's data are, site by site, and what is to be known of them."""
    whose = Paragraph(f"{its['derivative']}; {its['people']} people.{predicted}")
    return PageSection("Data", [whose, sites, Bullets(its["remarks"])])
