"""A study: a system of the review, what its paper claims and leaves unsaid, and how it is fitted here."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class PaperClaim:
    """What a paper claims of groups, people or a protocol, in percent; None where it is not stated."""

    of: str
    accuracy: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None

    def __str__(self) -> str:
        values = (self.accuracy, self.sensitivity, self.specificity)
        return f"{'/'.join('–' if each is None else f'{each:g}' for each in values)} ({self.of})"


class Role(StrEnum):
    """What a study stands for in the table."""

    SYSTEM = "system of the review"
    BASELINE = "baseline"
    CONFOUND = "what something else than the brain gives"


@dataclass(frozen=True)
class Paper:
    """What a system is taken from.

    Parameters
    ----------
    citation : str
        Empty for a baseline.
    disorder : str
        "ASD" or "ADHD".
    claims : tuple of PaperClaim
        What the paper claims.
    unstated : tuple of str
        What the paper does not state, and was chosen here.
    one_site_of : int
        The paper left one person out at a time: repeated on one site of about so many people.  0 repeats
        nothing.
    """

    citation: str = ""
    disorder: str = "ASD"
    claims: tuple[PaperClaim, ...] = ()
    unstated: tuple[str, ...] = ()
    one_site_of: int = 0


@dataclass(frozen=True)
class Population:
    """Of whom a study predicts, in words too; everybody is trained on."""

    chosen: Callable[[Any], Any]
    """Scans to who is meant, (n,) bool."""
    words: str


@dataclass(frozen=True)
class UnlabelledUse:
    """What a study makes of a held-out site's people without their labels, in the transductive condition."""

    settings: Mapping[str, Any]
    """What the model is given beside its own."""
    words: str
    fewest: int
    """People of a site; with fewer the model does without them."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A system, as it is run here.

    What a model is able to do shows in its methods (`offline.studies.fitting`): whether ``fit`` and
    ``decision_function`` take the sites of the people, and whether it reads a table before it looks at labels
    (``read(X, site=site)`` and ``fit_read(reading, y)``).

    Parameters
    ----------
    name : str
        On the command line.
    title : str
        In tables.
    ours : str
        What is done here, in words.
    table : str
        What the model is given (`offline.studies.tables.TABLES`): nothing in it is learnt from anybody.
    model : callable
        Settings and ``random_state`` to an unfitted classifier; everything that is learnt is learnt in it.
    paper : Paper
        What it is taken from.
    role : Role
        What it stands for.
    settings : tuple of mapping
        At most eight; one is chosen inside each fold.
    continuous : bool
        Whether the table may also predict a continuous target, by ridge (`offline.studies.continuous`).
    population : Population or None
        Of whom it predicts; None is everybody.
    transductive : bool
        Whether it is also run with the held-out site's people centred; a confound never is.
    unlabelled : UnlabelledUse or None
        What that run does instead of centring each site on its own people.
    not_exportable_because : str
        Why no bundle of it can be written; empty where one can.
    not_auditable_because : str
        Why no leakage protocol can be tried on it; empty where they can.
    revision : int
        Raise it when the model computes something else: what was kept before is then not taken up.
    fit_s : float, s
        About how long a fit of 200 people takes on one core: a quick audit leaves out what would take too
        long. It is given here and not measured as it runs, for what is computed may not depend on how busy a
        machine is.
    """

    name: str
    title: str
    ours: str
    table: str
    model: Callable[..., Any]
    paper: Paper = Paper()
    role: Role = Role.SYSTEM
    settings: tuple[Mapping[str, Any], ...] = field(default=({},))
    continuous: bool = False
    population: Population | None = None
    transductive: bool = True
    unlabelled: UnlabelledUse | None = None
    not_exportable_because: str = ""
    not_auditable_because: str = ""
    revision: int = 1
    fit_s: float = 0.1

    def __post_init__(self) -> None:
        if not 1 <= len(self.settings) <= 8:
            raise ValueError(f"{self.name} has {len(self.settings)} settings; expected 1 to 8")

    def described(self) -> dict[str, Any]:
        """What it is, as ``results.json`` has it."""
        return {
            "name": self.name,
            "title": self.title,
            "paper": self.paper.citation,
            "role": str(self.role),
            "disorder": self.paper.disorder,
            "claims": [asdict(claim) for claim in self.paper.claims],
            "claimed": [str(claim) for claim in self.paper.claims],
            "unstated": list(self.paper.unstated),
            "ours": self.ours,
            "table": self.table,
            "exportable": not self.not_exportable_because,
            "why_not_exportable": self.not_exportable_because,
        }
