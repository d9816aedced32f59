"""From the report of an evaluation to what a bundle's card says of unseen people.

A report is of a recipe and a cohort; it speaks of a bundle only where both are the bundle's.  Of the recipe
everything must agree that changes what is learnt or predicted: not its name, the sections ``evaluation`` (but
who were measured together) and ``evidence``, the seed, nor from which confidence on labels are shown.  Of the
cohort every row and every recording's bytes must: the whole table, or exactly those rows of it that are
trained on.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.cards.window_card import CardEvidence
from models.decode import decode
from models.errors import RecipeError
from models.evidence.unseen import METRICS, UnseenEvaluation
from models.files.regular_file import read_regular
from offline.base.cohort import Cohort
from offline.base.json_files import read_json
from offline.base.spelling import canonical
from offline.samples.recipe import Recipe
from offline.stats.permutation import FEWEST

RESULTS = "results.json"
FREE = frozenset({"name", "description", "evaluation", "evidence", "training.seed", "policy.min_confidence"})
"""What two recipes may differ in and still learn and predict the same."""
HELD = "evaluation.together"
"""What of these must agree all the same: it also says who is spared for early stopping with whom."""
MOST_NAMED = 4
"""Differences that a message names."""
ABSENT = "it is no report. Give the --out of hemostream evaluate."
AGAIN = "Evaluate again."


@dataclass(frozen=True)
class Evaluated:
    """What a report says of a bundle of its recipe and cohort: figures, and how windows add up."""

    unseen: UnseenEvaluation
    evidence: CardEvidence


def read_evaluation(
    report: Path,
    recipe: Recipe,
    cohort: Cohort,
    *,
    excluded: Collection[str] = (),
    locked: Collection[str] = (),
) -> Evaluated:
    """Read what a report says of a bundle that is trained by this recipe on this cohort.

    Parameters
    ----------
    report : Path
        Folder that ``hemostream evaluate`` wrote.
    recipe : Recipe
        What is trained.
    cohort : Cohort
        The whole table.
    excluded, locked : collection of str
        Whom of it is not trained on.  Of locked people the report must know nothing.

    Raises
    ------
    HemostreamError
        It is no report of windows, is of another recipe or cohort, or looked at locked people; the message
        shows what was found and what was expected.
    """
    if report.exists() and not report.is_dir():
        raise RecipeError(
            f"{report} is a file; expected a report's folder, the --out of hemostream evaluate."
        )
    results = read_json(report / RESULTS, ABSENT, AGAIN)
    run = read_json(report / "run.json", ABSENT, AGAIN)
    if not isinstance(results, dict) or not {"recipe", "served", "conditions"} <= results.keys():
        raise RecipeError(
            f"{report / RESULTS} is no evaluation of a recipe that says what a bundle would show: it is of a "
            "study, of a continuous target, or of another version. Give the --out of hemostream evaluate."
        )
    with _as_written():
        _refuse_another_recipe(report, results["recipe"], recipe)
        _refuse_another_cohort(report, results["cohort_hash"], cohort, excluded, locked)
    digest = hashlib.sha256(read_regular(report / RESULTS)).hexdigest()
    date = str(run.get("began_utc", "")) if isinstance(run, dict) else ""
    return evaluated_of(results, report=digest, date=date)


@contextmanager
def _as_written() -> Iterator[None]:
    """A report that holds something else than what ``evaluate`` writes is refused in a sentence."""
    try:
        yield
    except KeyError as error:
        raise RecipeError(
            f"The report's {RESULTS} lacks {error}: another version wrote it, or it was changed. {AGAIN}"
        ) from error
    except (TypeError, AttributeError, IndexError) as error:
        raise RecipeError(
            f"The report's {RESULTS} holds something else than is expected of a report ({error}): another "
            f"version wrote it, or it was changed. {AGAIN}"
        ) from error


def _refuse_another_recipe(report: Path, its: Mapping[str, Any], recipe: Recipe) -> None:
    found, expected = _settings(its["settings"]), _settings(recipe.model_dump(mode="json"))
    names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    if names:
        differ = "; ".join(
            f"{name} is {_shown(found, name)}, the recipe has {_shown(expected, name)}"
            for name in names[:MOST_NAMED]
        )
        more = f"; and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise RecipeError(
            f"{report} is of another recipe ({str(its['hash'])[:12]}; expected {recipe.hash[:12]}, or one "
            f"that learns the same): {differ}{more}. Evaluate this recipe, or train with the other."
        )


def _settings(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Settings by dotted name, but those that may differ."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        name = before + key
        if isinstance(value, list | tuple) and value and all(isinstance(each, Mapping) for each in value):
            value = {str(number): each for number, each in enumerate(value, start=1)}
        if isinstance(value, Mapping) and (name not in FREE or HELD.startswith(f"{name}.")):
            out |= _settings(value, f"{name}.")
        elif name != HELD and not FREE.isdisjoint({name, before.removesuffix(".")}):
            continue
        else:
            out[name] = value
    return out


def _shown(settings: Mapping[str, Any], name: str) -> str:
    if name not in settings:
        return "not there"
    text = repr(settings[name])
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse_another_cohort(
    report: Path, found: str, cohort: Cohort, excluded: Collection[str], locked: Collection[str]
) -> None:
    whole = cohort.content_hash()
    if not locked and found == whole:
        return
    aside = {canonical(person) for person in (*excluded, *locked)}
    rest = replace(cohort, rows=tuple(row for row in cohort.rows if row.person not in aside))
    trained_on = rest.content_hash()
    if found == trained_on:
        return
    if locked and found == whole:
        raise RecipeError(
            f"{report} looked at {', '.join(sorted(locked))}, who are to be locked: expected a report of "
            "those who are trained on alone. Evaluate a table without the locked people."
        )
    one = f"{whole[:12]}" + ("" if trained_on == whole else f" or {trained_on[:12]}")
    raise RecipeError(
        f"{report} is of another cohort ({found[:12]}; expected {one}, that of {cohort.path}): a row, a "
        "label or a recording differs. Evaluate this cohort, or train on the other."
    )


def evaluated_of(results: Mapping[str, Any], *, report: str, date: str) -> Evaluated:
    """What ``results.json`` amounts to on a card.

    Parameters
    ----------
    results : mapping
        What it holds.
    report : str
        Its SHA-256.
    date : str
        When it was evaluated.

    Raises
    ------
    RecipeError
        It holds something else.
    """
    with _as_written():
        unseen = _unseen(results, report, date)
        evidence = _evidence(results, supported=unseen.better_than_chance)
    return Evaluated(unseen, evidence)


def _unseen(results: Mapping[str, Any], report: str, date: str) -> UnseenEvaluation:
    own, conditions = results["recipe"]["model"], results["conditions"]
    primary = results["primary"]["metric"]
    its = conditions[own]["by_person"]
    chance = {"auc": 0.5, "balanced_accuracy": 1.0 / len(results["labels"])}
    served = results["served"] or {"windows": 0, "labels": {}, "comparison": None}
    labels = served["labels"]
    shown = ("min_confidence", "right", "majority", "share")
    p = its[primary]["p"]
    values = {
        "primary": primary,
        **{
            name: {"value": its[name]["value"], "interval": its[name]["interval"], "chance": chance[name]}
            for name in METRICS
        },
        "by": results["recipe"]["settings"]["evaluation"]["by"],
        "people": results["people"],
        "windows": served["windows"],
        "p": p,
        "null": "" if p is None else _null_of(results),
        "comparison": served["comparison"],
        "majority": labels.get("majority"),
        "simulated": results["simulated"] is not None,
        "shown": None if labels.get("min_confidence") is None else {key: labels[key] for key in shown},
        "report": report,
        "recipe_hash": results["recipe"]["hash"],
        "cohort_hash": results["cohort_hash"],
        "date": date,
    }
    return decode(UnseenEvaluation, values, error=RecipeError, what=f"The report's {RESULTS}", advice=AGAIN)


def _null_of(results: Mapping[str, Any]) -> str:
    """What the model's p is of: its own null, that of common orders where one is shared, or the usual."""
    order = results["order"]
    of_order = None if order is None else order["null"]
    own = results["network_null"]
    if own is not None and own["permutations"] < FEWEST:  # of so few no p is estimated
        own = None
    return str((own or of_order or results["null"])["of"])


def _evidence(results: Mapping[str, Any], *, supported: bool) -> CardEvidence:
    """How windows add up; a rule to stop only where the evaluation supports a label at all."""
    its = (results["served"] or {}).get("evidence")
    memory_s = results["recipe"]["settings"]["evidence"]["memory_s"]
    values: dict[str, Any] = {"memory_s": memory_s}
    if its is not None and its["law"] is not None:
        rule = its["rule"] if supported else None
        values |= {"law": its["law"], "rule": rule, "block": its["block"]}
    return decode(CardEvidence, values, error=RecipeError, what=f"The report's {RESULTS}", advice=AGAIN)
