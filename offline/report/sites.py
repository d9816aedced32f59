"""The page of how well the site itself is predicted."""

from collections.abc import Mapping
from typing import Any

from offline.report.cells import figure
from offline.report.page import Bullets, PageSection, ReportPage, TextTable

HEAD = (
    "harmonisation",
    "site, linear: balanced accuracy (95 %)",
    "site, Gaussian kernel (95 %)",
    "diagnosis: AUC within folds (95 %)",
)


def sites_page(results: Mapping[str, Any]) -> ReportPage:
    """The page, of what ``sites.json`` holds."""
    section = PageSection(
        "Before and after harmonisation", [sites_table(results), Bullets(sites_notes(results))]
    )
    return ReportPage("How well the site is predicted", [section])


def sites_table(results: Mapping[str, Any]) -> TextTable:
    """A row a harmonisation."""
    rows = [
        (
            name,
            *(figure(each["balanced_accuracy"], each["interval"]) for each in its["site"].values()),
            figure(its["diagnosis"]["auc"], its["diagnosis"]["interval"]),
        )
        for name, its in results["harmonisations"].items()
    ]
    return TextTable(HEAD, rows)


def sites_notes(results: Mapping[str, Any]) -> list[str]:
    """How to read the table, chance first."""
    left_out = ", ".join(f"{name or '(none)'} ({n})" for name, n in results["left_out"].items())
    why = f"Left out, for they have under {results['folds']} people: {left_out}."
    return [
        f"{results['people']} people of {len(results['sites'])} sites. Chance is {results['chance']:.3f}, "
        "one in as many as there are sites; the largest site holds "
        f"{results['majority_rate']:.3f} of the people, and always naming it has a balanced accuracy of "
        "chance.",
        f"{results['folds']} folds of people, alike in sites and diagnoses. Harmonisation is fitted to the "
        "people of training without their diagnoses; it knows every site, and the site of those predicted.",
        "The linear model can hardly see a site whose mean was taken out of every feature, whatever else of "
        "it is left (centred, its scores say nothing, and it names the largest site); the Gaussian kernel "
        "sees spreads and shapes too.",
        "Under chance: with the site, chance in the people of training was taken out, so that whoever is "
        "predicted lies on the other side of it.",
        "Where age and sex are kept, sites that differ in them may be recognised by them.",
        "Intervals are from draws of people, the fitted models taken as given: rather too narrow.",
        f"Of {results['table']}: {results['derivative']}.",
        *([why] if left_out else []),
    ]
