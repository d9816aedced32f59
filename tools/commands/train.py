"""``hemostream train``: from a cohort and a recipe to a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from models.errors import HemostreamError

if TYPE_CHECKING:
    from offline.samples.recipe import Recipe


def train(
    cohort: Path,
    *,
    recipe: str,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    seed: int | None = None,
    exclude_person: tuple[str, ...] = (),
    lock_person: tuple[str, ...] = (),
    first: float | None = None,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    locked: Path | None = None,
    old_cohort: Path | None = None,
    subgroup: tuple[str, ...] = (),
    margin: float = 0.02,
    allow_damaged: bool = False,
) -> None:
    """Train a classifier from recorded sessions, sent through the very code that runs live.

    With --from an existing bundle is trained further on new people (recordings or journals). Give --locked
    to compare the two on people who were locked at the first training: the new one is promoted only if it is
    shown to be as good. The old one always stays as it is.

    Parameters
    ----------
    cohort : Path
        Table of recordings (tabs between columns): recording, person; optional session, site, age, sex,
        and columns of labels.
    recipe : str
        One that ships with hemostream (tapping, cortivision, bold, demo, xu2019, xu2020), or a TOML file.
    out : Path
        Bundle folder to write; a bundle that is there already is replaced.
    seed : int
        What all chance follows from, instead of the recipe's.
    exclude_person : tuple of str
        Leave this person out (may be given more than once), to be classified later as unseen.
    lock_person : tuple of str
        Lock this person (may be given more than once): set aside for comparing later bundles with this one;
        no bundle that descends from it will learn from them. Ten or more are needed to tell anything.
    first : float
        Train on the first part of each recording only, as a fraction: 0.5 is the first half.
    from_ : Path
        Bundle to train further.
    locked : Path
        With --from: table of recordings of locked people. Looks are counted; after five, lock new people.
    old_cohort : Path
        With --from: table of people whom the old bundle learnt from, to see what is forgotten.
    subgroup : tuple of str
        With --locked: column (site, sex, ...) none of whose groups may fall by more than the margin.
    margin : float
        With --locked: log loss (nats) by which the new one may be worse and still count as good.
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read.
    """
    from offline.samples.recipe import load_recipe
    from realtime.inference import one_thread

    one_thread()
    its = load_recipe(recipe, allow_damaged=allow_damaged)
    if from_ is not None:
        _further(cohort, its, out, seed, from_, locked, old_cohort, subgroup, margin)
        return
    if locked is not None or old_cohort is not None or subgroup:
        raise HemostreamError(
            "--locked, --old-cohort and --subgroup compare with an old bundle: give --from."
        )
    from offline.samples.span import Span
    from offline.training import train as training

    model_hash = training.train(
        cohort,
        its,
        out,
        seed=seed,
        exclude_people=exclude_person,
        lock=lock_person,
        span=None if first is None else Span(0.0, first, fraction=True),
    )
    print(f"Bundle {out} (model {model_hash[:12]})")


def _further(
    cohort: Path,
    recipe: "Recipe",
    out: Path,
    seed: int | None,
    old: Path,
    locked: Path | None,
    old_cohort: Path | None,
    subgroup: tuple[str, ...],
    margin: float,
) -> None:
    from offline.retraining.retrain import retrain

    done = retrain(
        old,
        cohort,
        recipe,
        out,
        locked_path=locked,
        old_path=old_cohort,
        subgroups=subgroup,
        margin=margin,
        seed=seed,
    )
    print(f"Candidate {out} (model {done.hash[:12]})")
    if done.verdict is None:
        print("Not compared with the old bundle (no --locked): the old one stays.")
    else:
        place = "takes the old one's place" if done.verdict.promoted else "the old one stays"
        print(f"{done.verdict.why}; {place}. Look {done.looks} of 5 at the locked people.")
    if done.forgetting is not None:
        for name in ("old", "new"):
            its = done.forgetting[name]
            accuracy = its["balanced_accuracy"]
            told = "–" if accuracy is None else f"{accuracy:.3f}"
            print(
                f"On {done.forgetting['people']} old people, {name}: log loss {its['log_loss']:.3f}, "
                f"balanced accuracy {told}"
            )
