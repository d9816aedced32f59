"""``hemostream train``: from a cohort and a recipe to a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from models.errors import HemostreamError
from models.networks import BLEND
from tools.messages import say
from tools.outputs import Out, refuse_existing

if TYPE_CHECKING:
    from models.cards.card import Card
    from offline.retraining.retrain import Retrained
    from offline.samples.recipe import Recipe
    from offline.training.train import Trained

MARGIN = 0.02
"""Log loss (nats) by which a candidate may be worse."""


def train(
    cohort: Path,
    *,
    recipe: str,
    out: Out,
    seed: int | None = None,
    exclude_person: tuple[str, ...] = (),
    lock_person: tuple[str, ...] = (),
    first: float | None = None,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    locked: Path | None = None,
    old_cohort: Path | None = None,
    subgroup: tuple[str, ...] = (),
    margin: float | None = None,
    evaluation: Path | None = None,
    allow_damaged: bool = False,
    overwrite: bool = False,
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
        One that ships with hemostream (lateralised, movement, nback, tapping, cortivision, bold, demo,
        xu2019, xu2020), or a TOML file.
    out : Path
        Bundle folder to write.
    seed : int
        Seed of all random draws, instead of the recipe's.
    exclude_person : tuple of str
        Leave this person out (may be given more than once), to be classified later as unseen.
    lock_person : tuple of str
        Lock this person (may be given more than once): set aside for comparing later bundles with this one;
        no bundle that descends from it will be trained on them. Ten or more are needed to show anything.
    first : float
        Train on the first part of each recording only, as a fraction: 0.5 is the first half.
    from_ : Path
        Bundle to train further.
    locked : Path
        With --from: table of recordings of locked people. Looks are counted; after five, lock new people.
    old_cohort : Path
        With --from: table of people whom the old bundle was trained on, to see what is forgotten.
    subgroup : tuple of str
        With --locked: column (site, sex, ...) none of whose groups may fall by more than the margin.
    margin : float
        With --locked: log loss (nats) by which the new one may be worse and still count as good. Default:
        0.02.
    evaluation : Path
        Folder that "evaluate" wrote for this recipe and cohort: what it found goes on the card, and decides
        from which confidence on labels are shown. Without it none is, unless policy.min_confidence is set.
    allow_damaged : bool
        Take what is left of recordings of which much cannot be read.
    overwrite : bool
        Replace a bundle that is there already.
    """
    from models.bundle_files import check_target

    _check_options(from_, locked, old_cohort, subgroup, margin)
    check_target(out)
    refuse_existing(out, overwrite=overwrite)

    from offline.samples.recipe import load_recipe
    from offline.samples.span import Span
    from offline.training import train as training
    from realtime.inference import one_thread

    one_thread()
    its = load_recipe(recipe, allow_damaged=allow_damaged)
    if from_ is not None and evaluation is not None:
        raise HemostreamError(
            "--evaluation is of a recipe that starts from nothing, --from trains an old bundle further: "
            "leave one of them out. With --from and --locked the two bundles are compared."
        )
    if from_ is not None:
        _further(cohort, its, out, seed, from_, locked, old_cohort, subgroup, margin)
        return
    done = training.train(
        cohort,
        its,
        out,
        seed=seed,
        exclude_people=exclude_person,
        lock=lock_person,
        span=None if first is None else Span(0.0, first, fraction=True),
        report=evaluation,
    )
    say(summary(done.card, done.trained))
    if lost := lost_of(done.card):
        say(lost)
    for line in lines_of(done.card):
        say(line)
    say(f"Bundle: {out} (model {done.hash[:12]})")


def _check_options(
    from_: Path | None,
    locked: Path | None,
    old_cohort: Path | None,
    subgroup: tuple[str, ...],
    margin: float | None,
) -> None:
    """Refuse options that would change nothing."""
    if from_ is None and (locked is not None or old_cohort is not None):
        raise HemostreamError("--locked and --old-cohort compare with an old bundle: give --from.")
    for option, given in (("--subgroup", bool(subgroup)), ("--margin", margin is not None)):
        if given and locked is None:
            raise HemostreamError(
                f"{option} is about a comparison on locked people, and there is none without --locked. Give "
                f"--from and --locked, or leave {option} out."
            )


def _further(
    cohort: Path,
    recipe: "Recipe",
    out: Path,
    seed: int | None,
    old: Path,
    locked: Path | None,
    old_cohort: Path | None,
    subgroup: tuple[str, ...],
    margin: float | None,
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
        margin=MARGIN if margin is None else margin,
        seed=seed,
    )
    say(summary(done.card, done.trained))
    if lost := lost_of(done.card):
        say(lost)
    for line in lines_of(done.card):
        say(line)
    _say_comparison(done)
    say(f"Candidate: {out} (model {done.hash[:12]})")


def _say_comparison(done: "Retrained") -> None:
    """How the candidate compares with the old bundle."""
    if done.verdict is None:
        say("Not compared with the old bundle (no --locked): the old one stays.")
    else:
        place = "takes the old one's place" if done.verdict.promoted else "the old one stays"
        say(f"{done.verdict.why}; {place}. Look {done.looks} of 5 at the locked people.")
    if done.forgetting is not None:
        for name in ("old", "new"):
            its = done.forgetting[name]
            accuracy = its["balanced_accuracy"]
            shown = "–" if accuracy is None else f"{accuracy:.3f}"
            say(
                f"On {done.forgetting['people']} old people, {name}: log loss {its['log_loss']:.3f}, "
                f"balanced accuracy {shown}"
            )


def summary(card: "Card", trained: "Trained") -> str:
    """What was trained on, how it went and what was learnt, in sentences.

    Parameters
    ----------
    card : Card
        Of the bundle.
    trained : Trained
        The model and its history.
    """
    its, fitted = card.training, trained.fitted
    windows, people = its["windows"], its.get("people_by_label", {})
    who = f"{its['people']} people ({', '.join(f'{label} {count}' for label, count in people.items())})"
    if not fitted.history:
        verb = "Solved for" if trained.kind != BLEND else "Trained on"
        told = f"{verb} {_by_label(windows['train'])}, of {who}."
    else:
        last = fitted.history[fitted.best_epoch - 1]
        spared = ""
        if trained.validation.validation.size:
            spared = f", validated on {_by_label(windows['validation'])}"
        ended = ", stopped early" if fitted.stopped_early else ""
        valid = f", validation {last['valid_loss']:.3f}" if "valid_loss" in last else ""
        told = (
            f"Trained on {_by_label(windows['train'])}{spared}, of {who}; epoch {fitted.best_epoch} of "
            f"{len(fitted.history)} kept{ended}; loss {last['train_loss']:.3f}{valid}."
        )
    return "\n".join([told, *_members(trained), *_choice(trained), *_learnt(trained)])


def _members(trained: "Trained") -> list[str]:
    """Epochs and losses of the members of an ensemble."""
    members = trained.how.get("ensemble", ())
    return [
        f"Network {k + 1} of {len(members)}: epoch {its['best_epoch']} of {its['epochs']} kept; loss "
        f"{its['train_loss']:.3f}"
        + (f", validation {its['valid_loss']:.3f}." if "valid_loss" in its else ".")
        for k, its in enumerate(members)
    ]


def _choice(trained: "Trained") -> list[str]:
    """What was chosen among several models."""
    if (its := trained.how.get("choice")) is None:
        return []
    each = "; ".join(
        f"{one['model']} {one['log_loss']:.3f} ({one['balanced_accuracy']:.3f})" for one in its["candidates"]
    )
    return [
        f"Chosen: {its['chosen']}, by {its['people']} people held out in turn ({its['folds']} folds). Log "
        f"loss (balanced accuracy) of each: {each}."
    ]


def _learnt(trained: "Trained") -> list[str]:
    """What it is worth beside the linear model, where somebody was spared."""
    if (its := trained.how.get("learnt")) is None:
        if "learnt" not in trained.how or "choice" in trained.how:
            return []
        return ["Nobody was spared to try it on: `hemostream evaluate` says what it is worth."]
    told = (
        f"On {its['on']}: balanced accuracy {its['balanced_accuracy']:.3f}, the linear model "
        f"{its['linear']:.3f}."
    )
    return [told if its["gained"] else f"{told} Nothing was gained over the linear model."]


def lost_of(card: "Card") -> str:
    """How many blocks gave no usable window, and why; empty where none was lost.

    Parameters
    ----------
    card : Card
        Of the bundle.
    """
    lost: dict[str, int] = card.training["blocks_lost"]
    why = ", ".join(f"{n} {reason}" for reason, n in lost.items())
    return f"Blocks lost: {sum(lost.values())} of {card.training['blocks']} ({why})." if lost else ""


def lines_of(card: "Card") -> list[str]:
    """What a bundle is worth on unseen people, and which labels it shows."""
    return [f"{line[0].upper()}{line[1:]}." for line in (card.evaluation_line, card.labels_line)]


def _by_label(windows: dict[str, int]) -> str:
    each = ", ".join(f"{label} {count}" for label, count in windows.items())
    return f"{sum(windows.values())} windows ({each})"
