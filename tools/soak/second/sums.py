"""The sums of one bed, and what must not be among them."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class BedSums:
    """The sums of one bed.

    Parameters
    ----------
    pushed, journaled : int
        Samples that the device sent, those sent again included, and those that the journal holds.
    before_connected, with_the_killed : int
        Explained: sent before anything was connected, or shortly before the outlet was killed.
    lost : int
        Not explained.
    changed, disordered, foreign : int
        Journaled with another value or stamp (of those that are sent), out of the order of sending or twice,
        or never sent.
    missing_entries : int
        Entries that the journal itself says it lacks.
    lives, opened : int
        Outlets that the session can have heard, and streams that the journal says were opened.
    windows, labelled : int
        Decided (windows inside a gap each counted), and given a label.
    abstained : dict of str to int
        By their reasons.
    wrong_labels : int
        Labels on windows that hold a sample whose time is wrong by more than a period.
    worst_labelled_s, worst_s : float
        Largest error of a time in a labelled window, and in any, s.
    covered_labelled, covered : float
        Share of windows (with a label; all) whose every time is within the claimed uncertainty.
    beyond_claim_labelled_s : float
        By how much the claim of a labelled window was exceeded at most, s.
    samples_claimed, samples_covered : int
        Samples for which the clock claimed an error; of these within it.  Those that were stamped
        by a clock that had been set (`tools.soak.second.times.SET_S`) are left out here, and in the shares of
        windows.
    classify_equal, published_equal : bool
        Whether `classify` gives the journal's decisions, and whether what was published is just these.
    wrong : list of str
        The wrong labels, a line each.
    violations : list of str
        What must not be.
    """

    pushed: int = 0
    journaled: int = 0
    before_connected: int = 0
    with_the_killed: int = 0
    lost: int = 0
    changed: int = 0
    disordered: int = 0
    foreign: int = 0
    missing_entries: int = 0
    lives: int = 0
    opened: int = 0
    windows: int = 0
    labelled: int = 0
    abstained: dict[str, int] = field(default_factory=dict)
    wrong_labels: int = 0
    worst_labelled_s: float = 0.0
    worst_s: float = 0.0
    covered_labelled: float = 1.0
    covered: float = 1.0
    beyond_claim_labelled_s: float = 0.0
    samples_claimed: int = 0
    samples_covered: int = 0
    classify_equal: bool = False
    published_equal: bool = False
    wrong: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def find_violations(sums: BedSums, *, least_coverage: float) -> None:
    """Put down what must not be.

    Parameters
    ----------
    sums : Account
        Is completed.
    least_coverage : float
        Least share of the samples whose time is within the claim, 0 to 1.
    """
    for count, what in (
        (sums.lost, "samples are lost"),
        (sums.changed, "samples were changed"),
        (sums.disordered, "samples are in another order, or twice"),
        (sums.foreign, "samples were never sent"),
        (sums.missing_entries, "entries are missing by the journal's own account"),
        (sums.wrong_labels, "labels stand on windows whose times are wrong by more than a period"),
    ):
        if count:
            sums.violations.append(f"{count} {what}")
    if sums.opened < sums.lives:
        sums.violations.append(f"{sums.lives} outlets were heard, but {sums.opened} openings declared")
    if sums.samples_covered < least_coverage * sums.samples_claimed:
        share = sums.samples_covered / sums.samples_claimed
        sums.violations.append(f"{share:.2%} of the times are within their claim, not {least_coverage:.0%}")
    if not sums.classify_equal:
        sums.violations.append("classify gives other decisions than the session made")
    if not sums.published_equal:
        sums.violations.append("what was published is not what the journal holds")
    if not sums.labelled:
        sums.violations.append("no window was given a label: nothing is shown")
