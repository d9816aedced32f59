"""What decisions come to: windows by label, abstentions by reason, and how many were right where known."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.outside import printable
from offline.samples.recipe_labels import Labels
from realtime.decision import Decision
from realtime.sources.recording import Recording

Truth = Callable[[Decision], str | None]
"""The label that a decided window should have; None where none is known."""


class DecisionCounts:
    """Counts decisions as they come.

    Parameters
    ----------
    truth : callable or None
        Gives the true label of a window, where the recording's events give it.
    """

    def __init__(self, truth: Truth | None = None) -> None:
        self._truth = truth
        self.labels: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.abstained = 0
        self._right: Counter[str] = Counter()
        self._known: Counter[str] = Counter()
        self._probabilities: Counter[str] = Counter()

    def add(self, decision: Decision) -> None:
        """Count one."""
        if decision.abstained:
            self.abstained += decision.count
            self.reasons.update(dict.fromkeys(decision.reasons, decision.count))
            return
        self.labels[decision.label] += decision.count
        self._probabilities.update(decision.probabilities or {})
        true = None if self._truth is None else self._truth(decision)
        if true is not None:
            self._known[true] += 1
            self._right[true] += decision.label == true

    def summary(self, of: str = "window") -> str:
        """How many there were, in a sentence.

        Parameters
        ----------
        of : str
            What was decided of, in the singular.
        """
        classified = self.labels.total()
        return (
            f"{classified} {of}{'' if classified == 1 else 's'} classified{_listed(self.labels)}, "
            f"{self.abstained} abstained{_listed(self.reasons)}"
        )

    def row(self, labels: Sequence[str]) -> list[str | int]:
        """The same as cells of a table.

        Parameters
        ----------
        labels : sequence of str
            The model's.

        Returns
        -------
        list
            The label whose mean probability over classified windows is greatest, all these means, how many
            were classified, how many abstained and why, how many are right by the file's events, of how many.
        """
        n = self.labels.total()
        means = [self._probabilities[label] / n if n else 0.0 for label in labels]
        label = labels[means.index(max(means))] if n else ""
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons.items())
        known: list[str | int] = [self._right.total(), self._known.total()] if self._known else ["", ""]
        return [label, *(f"{mean:.4f}" if n else "" for mean in means), n, self.abstained, reasons, *known]

    def against_events(self) -> str | None:
        """How many were right, in a sentence; None where no label is known."""
        known = self._known.total()
        if not known:
            return None
        right = self._right.total()
        each = ", ".join(f"{printable(name)} {self._right[name]} of {n}" for name, n in self._known.items())
        return (
            f"By the file's events {right} of {known} classified windows are right ({right / known:.1%}: "
            f"{each}); always the most frequent label would be {max(self._known.values()) / known:.1%}."
        )


def truth_by_events(training: Mapping[str, Any], recording: Recording) -> Truth | None:
    """The labels that a recording's events give to windows, by the rules of the bundle's recipe.

    Parameters
    ----------
    training : mapping
        The card's section on training.
    recording : Recording
        Windows are on its clock.

    Returns
    -------
    callable or None
        None where the bundle's labels do not come from events, or the recording has none.
    """
    if "labels" not in training or not recording.events:
        return None
    labels = Labels.model_validate(training["labels"])
    if labels.source != "events":
        return None
    return lambda decision: labels.label_of(decision.window_start, decision.window_end, recording.events)


def _listed(counts: Counter[str]) -> str:
    return f" ({', '.join(f'{printable(name)} {n}' for name, n in counts.items())})" if counts else ""
