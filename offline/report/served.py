"""What a bundle that is trained with this report would show of people whom it has not seen."""

from collections.abc import Mapping
from typing import Any

from models.evidence.accumulation import Rule
from models.evidence.unseen import labels_line
from offline.report.cells import capital, number, sentence
from offline.report.page import PageBlock, PageSection, Paragraph, TextTable
from offline.training.unseen import evaluated_of

TITLE = "What a session would show"
BY = {
    "by_law": "added up by the law (of the other folds' people)",
    "as_if_independent": "added up as if windows were independent",
}


def served_section(results: Mapping[str, Any]) -> PageSection | None:
    """Which labels are shown, and how windows add up; None where no whole people were held out."""
    its = results.get("served")
    if its is None:
        return None
    blocks: list[PageBlock] = [Paragraph(text) for text in served_words(results)]
    if (evidence := its["evidence"]) is not None and (checked := evidence["checked"]) is not None:
        rows = [
            (
                words,
                number(checked[name]["accuracy"]),
                number(checked[name]["log_loss"]),
                number(checked[name]["slope"]),
                number(checked[name]["calibration_error"]),
            )
            for name, words in BY.items()
        ]
        units = f"at the end of each of {checked['units']} {evidence['of']}s"
        head = (units, "right", "log loss", "slope", "error")
        blocks.append(TextTable(head, rows))
    return PageSection(TITLE, blocks)


def served_words(results: Mapping[str, Any]) -> list[str]:
    """The same in sentences: the line of the card, which labels are shown, and how windows add up."""
    found = evaluated_of(results, report="", date="")
    asked = results["recipe"]["settings"]["policy"]["min_confidence"]
    out = [f"{capital(found.unseen.line)}.", f"{capital(labels_line(asked, found.unseen))}."]
    its = results["served"]
    if asked is None and (reason := its["labels"]["reason"]):
        out.append(sentence(f"why: {reason}"))
    return [*out, *_adding_up(its["evidence"], found.evidence.rule)]


def _adding_up(evidence: Mapping[str, Any] | None, rule: Rule | None) -> list[str]:
    """How windows add up, and when one may stop."""
    if evidence is None:
        return [
            "Running evidence is a mean: there are more than two labels, or no event says where a block "
            "begins."
        ]
    if evidence["law"] is None:
        return [f"Running evidence is a mean: how windows add up was not learnt ({evidence['reason']})."]
    law, of = evidence["law"], evidence["of"]
    where = "a person's session" if of == "person" else "a block, from event to event"
    stop = "No rule for stopping early is supported."
    if rule is not None:
        stop = f"One may stop where the posterior's log odds reach {rule.upper:.2f} either way."
    return [
        f"Evidence adds up over {where}: a window's log odds wander with a time constant of "
        f"{law['tau']:.0f} s (SD {law['within']:.2f}), {of}s of one label differ by {law['between']:.2f}, "
        f"labels by {2 * law['mu']:.2f}. {stop}"
    ]
