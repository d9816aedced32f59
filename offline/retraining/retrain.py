"""From a bundle and new recordings to a candidate, and whether it takes the old one's place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bundle import Bundle, read_bundle, write_bundle
from models.bundle_files import check_target
from models.cards.card import Card
from models.errors import RecipeError
from models.probabilities import probabilities
from offline.base.cohort import Cohort, read_cohort
from offline.base.people_hash import is_among
from offline.base.progress import Tell, shown
from offline.base.seeds import seed_of
from offline.retraining.locked import locked_of, refuse_learnt_from, refuse_locked, refuse_unlocked, set_hash
from offline.retraining.looks import check_look, count_look
from offline.retraining.promotion import MARGIN, Verdict, decide
from offline.samples.recipe import Recipe
from offline.samples.samples import Samples, collect
from offline.samples.twice import refuse_shared
from offline.stats.metrics import balanced_accuracy, mean_of
from offline.stats.person_loss import person_losses
from offline.training.card import Descent, card_of
from offline.training.temperature import logits_of
from offline.training.train import Trained, refuse_further, train_within


@dataclass(frozen=True)
class Retrained:
    """The candidate (its card as written, but for the hash), and what became of it.

    Parameters
    ----------
    verdict : Verdict or None
        None where no locked people were given.
    looks : int
        How often the locked people have been looked at by now.
    forgetting : mapping or None
        Old and new on the old cohort, people as means; None where it was not given.
    """

    hash: str
    card: Card
    trained: Trained
    verdict: Verdict | None
    looks: int
    forgetting: Mapping[str, Any] | None


def retrain(
    bundle_path: str | Path,
    cohort_path: str | Path,
    recipe: Recipe,
    out: str | Path,
    *,
    locked_path: str | Path | None = None,
    old_path: str | Path | None = None,
    subgroups: Sequence[str] = (),
    margin: float = MARGIN,
    seed: int | None = None,
) -> Retrained:
    """Train a bundle further on new people, compare it with the old one, write the candidate.

    Parameters
    ----------
    bundle_path, out : path
        The old one, which stays as it is, and the candidate's folder.
    cohort_path : path
        New recordings (journals too), none of them of locked people.
    recipe : Recipe
        Its input, pipeline, window, labels and network must be the bundle's.
    locked_path, old_path : path or None
        Tables of recordings of locked people, and of people whom the old bundle learnt from, to see what is
        forgotten.
    subgroups : sequence of str
        Columns of the locked people's table ("site", "sex" or one of its own) whose groups may not fall.
    margin : float
        Nats; fixed before any look.
    seed : int or None
        Instead of the recipe's.

    Raises
    ------
    HemostreamError
        Whatever is wrong with bundle, recipe, cohorts or folder; somebody locked would be learnt from; or the
        locked people have been looked at too often.
    """
    if not 0.0 < margin < 10.0:
        raise RecipeError(f"margin is {margin}; expected nats above 0 (0.02 is usual).")
    if Path(out).resolve() == Path(bundle_path).resolve():
        raise RecipeError(f"{out} is the old bundle itself, which must stay. Give another folder.")
    seed = seed_of(recipe.training.seed, seed)
    check_target(out)
    old = read_bundle(bundle_path)
    check_same(old, recipe)
    cohort = read_cohort(cohort_path)
    refuse_locked(old.card.training, cohort.people)
    looks = int(old.card.evaluation.get("looks", 0))
    locked, groups = None, {}
    if locked_path is not None:  # what is wrong with a table is reported before hours of training
        locked = read_cohort(locked_path)
        refuse_unlocked(old.card.training, locked.people)
        groups = _groups(locked, subgroups)
        ledger = Path(bundle_path), set_hash(locked_of(old.card.training))
        check_look(*ledger, looks)
    before = None if old_path is None else read_cohort(old_path)
    with shown() as tell:
        samples = _collect(old, cohort, recipe, tell)
        trained = train_within(
            samples, recipe, np.arange(len(samples)), seed=seed, progress=tell, start=old.network.state_dict()
        )
        card = card_of(samples, recipe, cohort, trained, descent=descent_of(old))
        new = Bundle(card.model_copy(update={"evaluation": {}}), trained.fitted.network)
        verdict, forgetting = None, None
        if locked is not None:
            theirs = _collect(old, locked, recipe, tell)  # whatever is wrong with it is no look
            refuse_learnt_from(card.training, theirs)
            looks = count_look(*ledger, looks)
            verdict = _compare(old, new, theirs, groups, margin)
        if before is not None:
            forgetting = _forgetting(old, new, _collect(old, before, recipe, tell))
    promotion = None if verdict is None else verdict.to_json()
    evaluation = {"promotion": promotion, "looks": looks, "forgetting": forgetting}
    card = card.model_copy(update={"evaluation": evaluation})
    written = write_bundle(out, card, trained.fitted.network)
    return Retrained(written, card, trained, verdict, looks, forgetting)


def check_same(old: Bundle, recipe: Recipe) -> None:
    """Refuse a recipe whose windows or network are not the bundle's.

    Raises
    ------
    RecipeError
        Names the first thing that differs, as the bundle and as the recipe have it.
    """
    refuse_further(recipe)
    card = old.card
    pairs: list[tuple[str, Any, Any]] = [
        ("model.kind", card.model.kind, recipe.model.kind),
        ("model.params", dict(card.model.params), dict(recipe.model.params)),
        ("rate", card.rate, recipe.rate),
        ("window", card.window.model_dump(), recipe.window.model_dump()),
        ("pipeline", [dict(s) for s in card.pipeline], [dict(s) for s in recipe.pipeline]),
    ]
    for what, theirs, ours in pairs:
        if theirs != ours:
            raise RecipeError(
                f"The bundle's {what} is {theirs}, the recipe's is {ours}; expected the same, for the "
                "bundle's weights are trained further. Use the recipe that the bundle was trained by."
            )


def descent_of(old: Bundle) -> Descent:
    """What a candidate takes over."""
    its = old.card.training
    before = frozenset(its["people_hashes"]) | frozenset(its.get("ancestors_people_hashes", ()))
    signals = tuple(its.get("signals", ()))
    return Descent(old.card.hash, its["people_salt"], locked_of(its), before, signals)


def _collect(old: Bundle, cohort: Cohort, recipe: Recipe, tell: Tell) -> Samples:
    samples = collect(cohort, recipe, progress=tell)
    refuse_shared(samples.shared)
    if list(samples.labels) != list(old.card.labels):
        raise RecipeError(
            f"{cohort.path.name} has labels {', '.join(samples.labels)}; the bundle has "
            f"{', '.join(old.card.labels)}; expected the same in the same order."
        )
    theirs = [channel["name"] for channel in old.card.input["channels"]]
    if list(samples.spec.names) != theirs:
        lacking = [name for name in theirs if name not in samples.spec.names]
        raise RecipeError(
            f"{cohort.path.name} gives channels {', '.join(samples.spec.names[:6])}, ... "
            f"({len(samples.spec)}); the bundle needs {len(theirs)}, of which "
            f"{', '.join(lacking[:6]) or 'none'} are missing; expected the same in the same order. Name them "
            "in input.channels, or leave out recordings without them."
        )
    return samples


def _probabilities(bundle: Bundle, samples: Samples) -> npt.NDArray[np.float64]:
    temperature = bundle.card.calibration.temperature
    return probabilities(logits_of(bundle.network.eval(), samples.X), temperature)


def _compare(
    old: Bundle, new: Bundle, samples: Samples, groups: Mapping[str, frozenset[str]], margin: float
) -> Verdict:
    table = samples.table
    before, after = (
        person_losses(_probabilities(each, samples), table.target, table.person) for each in (old, new)
    )
    masks = {name: np.array([person in own for person in before]) for name, own in groups.items()}
    unit = table.unit[np.unique(table.person, return_index=True)[1]]  # in the order of losses
    return decide(np.array(list(before.values())), np.array(list(after.values())), masks, margin, unit=unit)


def _groups(locked: Cohort, columns: Sequence[str]) -> dict[str, frozenset[str]]:
    """People of each group of each declared column."""
    out = {}
    for column in columns:
        value_of = _column(locked, column)
        for value in sorted(set(value_of.values()) - {""}):
            out[f"{column} {value}"] = frozenset(p for p, its in value_of.items() if its == value)
    return out


def _column(cohort: Cohort, column: str) -> dict[str, str]:
    """A column's value for each person."""
    if column in ("site", "sex"):
        return {row.person: getattr(row, column) for row in cohort.rows}
    if not all(column in row.values for row in cohort.rows):
        known = sorted({"site", "sex"} | set().union(*(row.values for row in cohort.rows)))
        raise RecipeError(
            f"--subgroup {column}: {cohort.path.name} has no such column; it has {', '.join(known)}."
        )
    return {row.person: row.values[column] for row in cohort.rows}


def _forgetting(old: Bundle, new: Bundle, samples: Samples) -> dict[str, Any]:
    """Old and new on people whom the old one learnt from; others in the table are left out."""
    its = old.card.training
    table, known = samples.table, descent_of(old).people
    own = np.array([is_among(its["people_salt"], person, known) for person in table.person])
    if not own.any():
        raise RecipeError(
            "--old-cohort holds no one whom the bundle learnt from, so nothing could be forgotten; "
            "expected people of its training. Give that table."
        )
    out: dict[str, Any] = {"people": len(set(table.person[own].tolist()))}
    for name, bundle in (("old", old), ("new", new)):
        p = _probabilities(bundle, samples)[own]
        y, person = table.target[own], table.person[own]
        predicted, n_labels = p.argmax(axis=1), len(samples.labels)
        each = [
            balanced_accuracy(y[person == who], predicted[person == who], n_labels)
            for who in np.unique(person)
        ]
        out[name] = {
            "log_loss": float(np.mean(list(person_losses(p, y, person).values()))),
            "balanced_accuracy": mean_of(each),
        }
    return out
