"""A study: a system of the review, what its paper claims and leaves unsaid, and how it is fitted here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class PaperClaim:
    """What a paper claims.

    Parameters
    ----------
    of : str
        Of what: groups, people, protocol.
    accuracy, sensitivity, specificity : float or None
        In percent; None where it is not stated.
    """

    of: str
    accuracy: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None

    def __str__(self) -> str:
        told = [
            f"{value:g}" if value is not None else "–"
            for value in (self.accuracy, self.sensitivity, self.specificity)
        ]
        return f"{'/'.join(told)} ({self.of})"


class Role(StrEnum):
    """What a study stands for in the table."""

    SYSTEM = "system of the review"
    BASELINE = "baseline"
    CONFOUND = "what something else than the brain gives"


@dataclass(frozen=True, kw_only=True)
class Study:
    """A system, as it is run here.

    Parameters
    ----------
    name : str
        On the command line.
    title : str
        In tables.
    paper : str
        What it is taken from; empty for a baseline.
    role : Role
        What it stands for.
    disorder : str
        Of the paper: "ASD" or "ADHD".
    claims : tuple of Claim
        What the paper claims.
    unstated : tuple of str
        What the paper does not state, and was chosen here.
    ours : str
        What is done here, in words.
    table : str
        What the model is given (`offline.studies.tables.TABLES`): nothing in it is learnt from anybody.
    model : callable
        Settings and ``random_state`` to an unfitted classifier; everything that is learnt is learnt in it.
    settings : tuple of mapping
        At most eight; one is chosen inside each fold.
    tells_amounts : bool
        Whether the table may also tell an amount, by ridge regression (`offline.studies.severity`).
    takes_site : bool
        Whether the model's ``fit`` is told the sites of the training people.
    reads : bool
        Whether the model's ``fit`` is ``fit_read(read(X, site=site), y)`` where only the second looks at
        labels: several labellings of the same people then share the first.  It has one setting.
    single : bool
        Whether the model takes a table in single precision, as it is kept: a wide one is then not copied.
    judges : callable or None
        Scans to who is judged, (n,) bool; everybody is trained on.  None: everybody.
    judges_words : str
        The same in words.
    transductive : bool
        Whether it is also run with the judged site's people centred; a confound never is.
    judged_by_site : bool
        Whether its ``decision_function`` is told the sites of the judged people too, who are then handed in
        together.
    unlabelled : mapping or None
        How it uses the judged site's people without their labels, in the transductive arm: what ``model``
        is given beside its settings.  None: it does not, and each site is centred on its own people.
    unlabelled_words : str
        The same in words.
    fewest_unlabelled : int
        Of a site; with fewer the model does without them.
    own_protocol : {"leave one person out", ""}
        What the paper did, repeated on one site of about its size.
    own_size : int
        People of the paper.
    exportable : str
        Empty, or why no bundle of it can be written.
    auditable : str
        Empty, or why no leakage protocol can be tried on it.
    revision : int
        Raise it when the model computes something else: what was kept before is then not taken up.
    fit_s : float, s
        About how long a fit of 200 people takes on one core: a quick audit leaves out what would take too
        long. It is said here and not measured as it runs, for what is computed may not depend on how busy a
        machine is.
    """

    name: str
    title: str
    ours: str
    table: str
    model: Callable[..., Any]
    paper: str = ""
    role: Role = Role.SYSTEM
    disorder: str = "ASD"
    claims: tuple[PaperClaim, ...] = ()
    unstated: tuple[str, ...] = ()
    settings: tuple[Mapping[str, Any], ...] = field(default=({},))
    tells_amounts: bool = False
    takes_site: bool = False
    reads: bool = False
    single: bool = False
    judges: Callable[[Any], Any] | None = None
    judges_words: str = ""
    transductive: bool = True
    judged_by_site: bool = False
    unlabelled: Mapping[str, Any] | None = None
    unlabelled_words: str = ""
    fewest_unlabelled: int = 0
    own_protocol: str = ""
    own_size: int = 0
    exportable: str = ""
    auditable: str = ""
    revision: int = 1
    fit_s: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= len(self.settings) <= 8:
            raise ValueError(f"{self.name} has {len(self.settings)} settings; expected 1 to 8")
        if self.reads and (len(self.settings) > 1 or self.judged_by_site or not self.takes_site):
            raise ValueError(
                f"{self.name} reads before it fits; expected one setting, and sites told of training only"
            )
