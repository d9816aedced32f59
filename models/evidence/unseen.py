"""What a classifier was worth on people whom it had not seen, as its card keeps it and every view tells it.

One rule says whether that supports a label (`UnseenEvaluation.better_than_chance`), one line says what was
found (`evaluation_line`), and one more from which confidence on labels are shown (`labels_line`).
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from models.decode import Record
from models.evidence.standing import Standing, standing_of

NEVER = "never evaluated on unseen people"
METRICS = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}
"""Figures by name, and what a line calls them."""
Share = Annotated[float, Field(ge=0, le=1)]
ALWAYS = 0.0
"""The least confidence where every label is shown."""


class UnseenFigure(Record):
    """One figure by person, 0 to 1.

    Parameters
    ----------
    value : float or None
        None where the recordings do not determine it.
    interval : sequence of 2 floats, or None
        Of 95 %; None where there were too few people, or nothing that an interval follows from.
    chance : float
        What guessing gives.
    """

    value: Share | None
    interval: Annotated[Sequence[float], Field(min_length=2, max_length=2)] | None = None
    chance: Share = 0.5


class Comparison(Record):
    """The best simple model that was evaluated beside it, and its primary figure."""

    name: str
    value: Share


class LabelThreshold(Record):
    """From which confidence on labels are shown, and what that did on unseen people's windows.

    Parameters
    ----------
    min_confidence : float
        Least probability of the likeliest label.
    right : float
        Share of the windows that were shown a label, and the right one; of all that were shown one.
    majority : float
        Share that always the most frequent label would have right, of all windows.
    share : float
        Of all windows, those that were shown a label.
    """

    min_confidence: Share
    right: Share
    majority: Share
    share: Share


class UnseenEvaluation(Record):
    """What ``hemostream evaluate`` found of this recipe on this cohort; people are what is counted.

    Parameters
    ----------
    primary : {"auc", "balanced_accuracy"}
        The figure that was fixed before the evaluation ran.
    auc, balanced_accuracy : UnseenFigure
        By person.
    by : {"people", "time"}
        Whether whole people were held out, or parts of recordings, which says nothing about other people.
    people, windows : int
        How many were predicted.
    p : float or None
        Of the primary figure under the null; None where there was no null of this model.
    null : str
        Which null, in words; empty where there was none.
    comparison : Comparison or None
        The best simple one; None where there was none.
    majority : float or None
        What always the most frequent label of all people would have right, averaged over people.
    simulated : bool
        Whether the people were simulated.
    shown : LabelThreshold or None
        From which confidence on labels are shown; None where these people support none.
    report, recipe_hash, cohort_hash : str
        SHA-256 of the report's ``results.json``, of the recipe, of the cohort; hexadecimal.
    date : str
        When it was evaluated, ISO 8601 in UTC; empty where that is not known.
    """

    primary: Literal["auc", "balanced_accuracy"]
    auc: UnseenFigure
    balanced_accuracy: UnseenFigure
    by: Literal["people", "time"] = "people"
    people: int = Field(ge=0)
    windows: int = Field(ge=0)
    p: Share | None = None
    null: str = ""
    comparison: Comparison | None = None
    majority: Share | None = None
    simulated: bool = False
    shown: LabelThreshold | None = None
    report: str = ""
    recipe_hash: str = ""
    cohort_hash: str = ""
    date: str = ""

    @property
    def figure(self) -> UnseenFigure:
        """The primary one."""
        return self.auc if self.primary == "auc" else self.balanced_accuracy

    @property
    def better_than_chance(self) -> bool:
        """Whether the interval by unseen person lies above chance, and p, if there is one, is .05 or less.

        By the rule of the report (`models.evidence.standing`).
        """
        its = self.figure
        if self.by != "people" or its.interval is None:
            return False
        found = standing_of(its.value, its.interval, self.p, its.chance)
        return found in (Standing.BETTER, Standing.ABOVE)

    @property
    def line(self) -> str:
        """What was found, in one honest line."""
        its = self.figure
        if its.value is None:
            return f"by unseen person: not determined by {_people(self.people)}"
        figure = f"{METRICS[self.primary]} {short(its.value)}"
        if its.interval is not None:
            figure += f" ({short(its.interval[0])} to {short(its.interval[1])})"
        p = "" if self.p is None else f" ({_p(self.p)})"
        who = _people(self.people, simulated=self.simulated)
        if self.by != "people":
            return f"{NEVER}; within people who were trained on: {figure}, {who}"
        if its.interval is None:
            verdict = "too few people to say anything of others"
        else:
            verdict = f"{'better' if self.better_than_chance else 'not better'} than chance{p}"
            if self.better_than_chance and self.p is None:
                verdict = "above chance by its interval, without a permutation test"
        return f"by unseen person: {figure}, {who}; {verdict}"

    @property
    def details(self) -> list[str]:
        """The rest, in lines: the other figure, comparison, majority, null, and which report."""
        other = "balanced_accuracy" if self.primary == "auc" else "auc"
        its: UnseenFigure = getattr(self, other)
        lines = []
        if its.value is not None:
            ends = "" if its.interval is None else f" ({short(its.interval[0])} to {short(its.interval[1])})"
            lines.append(f"{METRICS[other]} {short(its.value)}{ends}, chance {short(its.chance)}")
        if self.comparison is not None:
            lines.append(f"best simple comparison: {self.comparison.name}, {short(self.comparison.value)}")
        if self.majority is not None:
            lines.append(f"always the most frequent label: right for {self.majority:.0%} of windows")
        if self.null:
            lines.append(f"null: {self.null}")
        lines.append(
            f"{self.windows} windows; report {self.report[:12]}, recipe {self.recipe_hash[:12]}, cohort "
            f"{self.cohort_hash[:12]}{', ' + self.date if self.date else ''}"
        )
        return lines


def evaluation_line(unseen: UnseenEvaluation | None) -> str:
    """What a bundle's views say of its evaluation."""
    return NEVER if unseen is None else unseen.line


def least_confidence(asked: float | None, unseen: UnseenEvaluation | None) -> float | None:
    """From which confidence on a label is shown.

    Parameters
    ----------
    asked : float or None
        What the recipe sets (``policy.min_confidence``); None leaves it to the evaluation.
    unseen : UnseenEvaluation or None
        Of the bundle; None where it was never evaluated.

    Returns
    -------
    float or None
        Least probability of the likeliest label; None shows no label at all.
    """
    if asked is not None:
        return asked
    if unseen is None or not unseen.better_than_chance or unseen.shown is None:
        return None
    return unseen.shown.min_confidence


def labels_line(asked: float | None, unseen: UnseenEvaluation | None) -> str:
    """The same in words."""
    least = least_confidence(asked, unseen)
    if least is None:
        return "no label is shown: every window is undecided, probabilities are given"
    begin = (
        "every label is shown" if least <= ALWAYS else f"labels are shown from a confidence of {short(least)}"
    )
    if asked is not None:
        return f"{begin} (set by the recipe)"
    assert unseen is not None
    assert unseen.shown is not None
    its = unseen.shown
    return (
        f"{begin}: right for {its.right:.0%} of such windows of unseen people, always the most frequent "
        f"label for {its.majority:.0%}"
    )


def short(value: float, digits: int = 2) -> str:
    """A share without its leading zero, as the field writes it: .66."""
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _p(p: float) -> str:
    """To three digits, as reports give it."""
    return "p < .001" if round(p, 3) < 0.001 else f"p {short(p, 3)}"


def _people(n: int, *, simulated: bool = False) -> str:
    kind = "simulated " if simulated else ""
    return f"{n} {kind}{'person' if n == 1 else 'people'}"
