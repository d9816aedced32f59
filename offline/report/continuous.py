"""Pages of an amount: of an evaluation of recordings, and of a study of scans."""

from collections.abc import Mapping
from typing import Any

from models.evidence.standing import ALPHA
from offline.report.cells import figure_of, number, sentence
from offline.report.cohort import cohort_section, versions
from offline.report.page import PageSection, Paragraph, Picture, ReportPage, Row, TextTable
from offline.report.plots import predicted_and_reported
from offline.report.study import TENFOLD, UNSEEN_SITE, data_section
from offline.stats.regression import ContinuousPredictions

HEAD = ("predicted from", "people", "r within folds (95 %)", "p", "R²", "p", "MAE", "p")
SITES = ("site", "people", "mean", "SD", "least", "most")
TRAITS = "age and sex"
READ = (
    "People are correlated within a fold. R² is against the mean: below 0, guessing it would be better. A p "
    "says whether it is chance, not whether it is the brain: see what age and sex alone give."
)
UNITS = (
    "Sites measure on scales of their own, so amounts are in SDs of the site from its mean, both taken from "
    "training people of the site. On unseen sites nobody knows the scale: there the mean and SD of the "
    "predicted people themselves are taken, which no model sees; r is the figure that counts there, within a "
    "fold and a site. Rows of one group alone are of the same predictions: severity goes with the diagnosis, "
    "so only they say whether more is predicted than who has it."
)


def continuous_evaluation_page(
    results: Mapping[str, Any], run: Mapping[str, Any], table: ContinuousPredictions
) -> ReportPage:
    """The page of an evaluation whose target is an amount."""
    first, its = next(iter(results["conditions"].items()))
    null = results["null"]
    chance = (
        "No amounts were permuted." if null is None else f"p: {null['of']}, {null['permutations']} times."
    )
    short = [f"{first}: {found(its)}.", sentence(results["protocol"]), sentence(results["says"])]
    sections = [
        PageSection("In short", [Paragraph(text) for text in short]),
        cohort_section(results),
        figures(results, chance),
        drawn(table, first),
        versions(results, run),
    ]
    return ReportPage(
        f"{results['recipe']['name']}: {results['continuous_target']}", sections, "Evaluation of an amount"
    )


def continuous_study_page(results: Mapping[str, Any], table: ContinuousPredictions) -> ReportPage:
    """The page of a study whose target is an amount."""
    study, data = results["study"], results["data"]
    how = (
        f"Ridge regression on the table {study['table']!r}, its penalty by leaving out one training "
        "person at a time."
    )
    chance = (
        f"p: of {results['profile']['permutations']} permutations between people of one site, the whole "
        "procedure each time."
    )
    sites = [
        (name, str(its["people"]), *(f"{its[each]:.1f}" for each in ("mean", "sd", "least", "most")))
        for name, its in data["sites"].items()
    ]
    sections = [
        PageSection("In short", [Paragraph(how), Paragraph(in_short(results))]),
        figures(results, chance, UNITS),
        drawn(table, f"{study['table']}, {_protocol(results)}"),
        data_section(data, TextTable(SITES, sites)),
    ]
    return ReportPage(f"{study['title']}: {data['target']}", sections, study["paper"])


def figures(results: Mapping[str, Any], chance: str, units: str = "") -> PageSection:
    """Every condition's figures, and how to read them."""
    table = TextTable(HEAD, continuous_rows(results))
    return PageSection(
        "Figures", [table, Paragraph(chance), Paragraph(READ, note=True), Paragraph(units, note=True)]
    )


def continuous_rows(results: Mapping[str, Any]) -> list[Row]:
    """A row a condition, under `HEAD`."""
    return [
        (
            name,
            str(its["people"]),
            figure_of(its["r"]),
            number(its["r"]["p"]),
            *(number(its[each][which]) for each in ("R2", "MAE") for which in ("value", "p")),
        )
        for name, its in results["conditions"].items()
    ]


def drawn(table: ContinuousPredictions, condition: str) -> PageSection | None:
    """Predicted and reported amounts of everybody under one condition; None where it has none."""
    own = table.of_condition(condition)
    if not len(own):
        return None
    caption = f"{condition}: everybody, in every division. Dotted: what was predicted is true."
    return PageSection("Plot", [Picture.of(predicted_and_reported(own), "Predicted and reported", caption)])


def in_short(results: Mapping[str, Any]) -> str:
    """What a study found on unseen sites (in ten folds if there is one site), and what age and sex give."""
    protocol = _protocol(results)
    own, traits = (
        results["conditions"][f"{given}, {protocol}"] for given in (results["study"]["table"], TRAITS)
    )
    return (
        f"{protocol}: {found(own)}. Age and sex alone: r "
        f"{number(traits['r']['value'])}, R² {number(traits['R2']['value'])}."
    )


def found(its: Mapping[str, Any]) -> str:
    """One condition's figures against chance, in words."""
    r, p, explained = its["r"]["value"], its["r"]["p"], its["R2"]["value"]
    if p is None:
        chance = "whether this is chance was not estimated"
    elif p <= ALPHA and r > 0:
        chance = f"more than chance (permutation p = {p:.3f})"
    else:
        chance = f"at chance (permutation p = {p:.3f})"
    worse = "" if explained is None or explained > 0 else ", so guessing the mean would be as good or better"
    return f"r {number(r)}, {chance}; R² {number(explained)}{worse}"


def _protocol(results: Mapping[str, Any]) -> str:
    given = results["study"]["table"]
    return next(name for name in (UNSEEN_SITE, TENFOLD) if f"{given}, {name}" in results["conditions"])
