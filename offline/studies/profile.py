"""How much of a study is computed, and what chance follows from; `offline.report.study` names conditions."""

from dataclasses import dataclass

PERMUTED = "permuted labels"
SEED = 0
"""Of the first division into tenths; further ones count on from it."""
PERMUTATION_SEED = 19


@dataclass(frozen=True)
class Profile:
    """How much is computed.

    Parameters
    ----------
    name : str
        On the command line.
    repeats : int
        Divisions into ten folds.
    permutations : int
        Permutations of the ten folds' labels, the same people in each fold; they take the divisions by turns.
    audited : int
        Permutations of every leakage protocol and of its honest twin.
    kept : bool
        Whether permutations keep the setting that the true labels chose most often; otherwise the
        whole procedure is repeated.
    """

    name: str
    repeats: int
    permutations: int
    audited: int = 5
    kept: bool = True


QUICK = Profile("quick", 1, 19)
FULL = Profile("full", 5, 199, 19, kept=False)
PROFILES = {profile.name: profile for profile in (QUICK, FULL)}
