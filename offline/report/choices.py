"""What was chosen among several models in each fold, and how they did inside its training people."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from offline.report.page import PageSection, Paragraph, TextTable


def choice_section(results: Mapping[str, Any]) -> PageSection | None:
    """The models that were chosen, fold by fold; None where the recipe names a single one."""
    own = results["recipe"]["model"]
    found = {
        name: its[own]["choice"]
        for name, its in dict(results["folds"]).items()
        if not name.startswith("site ") and "choice" in its.get(own, {})
    }
    if not found:
        return None
    counts = Counter(each["chosen"] for each in found.values())
    chosen = ", ".join(f"{name} in {count}" for name, count in counts.most_common())
    rows = [
        (f"{name}: {each['chosen']}", str(each["people"]), "; ".join(map(_figures, each["candidates"])))
        for name, each in found.items()
    ]
    return PageSection(
        "What was chosen",
        [
            Paragraph(
                f"In each of {len(found)} folds a model was chosen inside the training people alone, by the "
                f"log loss of people who were held out there in turn: {chosen}. The figures of {own} "
                "elsewhere on this page are of people of whom the choosing knew nothing, so the choosing is "
                "evaluated too."
            ),
            TextTable(
                ("held out, and chosen", "people inside", "candidates: log loss, balanced accuracy"),
                rows,
                "Log loss in nats; by person, in the inner folds. The choice was made by these, so the best "
                "of them is a little too good.",
            ),
        ],
    )


def _figures(its: Mapping[str, Any]) -> str:
    """A candidate and its figures; of a blend its weights."""
    name = its["model"]
    if len(its["weights"]) > 1:
        name = " + ".join(f"{weight:g} {member}" for member, weight in its["weights"].items())
    return f"{name} {its['log_loss']:.3f}, {its['balanced_accuracy']:.3f}"
