"""A folder of simulated people: SNIRF files, a table, and the truth.

``cohort.tsv`` says who; ``truth.json`` holds every setting and every drawn parameter, so the
folder can be made again.  Simulated accuracy says nothing about autism.
"""

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from scipy.stats import norm

from models.errors import RecipeError, RecordingError
from offline.recordings.snirf_writer import write_snirf
from offline.simulation.person import simulate_person
from offline.simulation.settings import Simulation

COLUMNS = ("recording", "person", "session", "group", "age", "sex")
GROUPS = ("A", "B")
TABLE, TRUTH = "cohort.tsv", "truth.json"


def bayes_ceiling(group_effect: float) -> float:
    """The best accuracy by person that is possible at all, 0.5 to 1, were people's parameters known exactly.

    Two equal groups differ in two independent normal parameters by ``group_effect`` spreads each,
    so by ``sqrt(2) * group_effect`` (Cohen's d) along the best direction; half of that lies on either
    side of the border.  From signals, which show the parameters only with error, less can be had.
    """
    return float(norm.cdf(abs(group_effect) / math.sqrt(2.0)))


def ceiling_beside(table: Path) -> float | None:
    """`bayes_ceiling` of the people of a cohort's table; None where they are not known to be simulated."""
    try:
        truth = json.loads((table.parent / TRUTH).read_text(encoding="utf-8"))
        return float(truth["bayes_ceiling"]) if table.name == TABLE else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # another file of that name says nothing of simulated people


def check_numbers(people: int, seed: int, sessions: int) -> None:
    """Refuse numbers that `write_cohort` cannot take: a RecipeError names the one that is out of bounds."""
    for name, value, least in (("people", people, 1), ("sessions", sessions, 1), ("seed", seed, 0)):
        if value < least:
            raise RecipeError(f"{name} is {value}; expected {least} or more.")


def write_cohort(
    folder: Path,
    settings: Simulation,
    people: int,
    seed: int,
    sessions: int = 1,
    done: Callable[[str], None] | None = None,
) -> Path:
    """Simulate people and write them to a folder.

    Person ``i`` depends on settings, seed and ``i`` alone, so a larger cohort begins with the
    smaller one.  Groups take turns: A, B, A, B, ...

    Parameters
    ----------
    folder : Path
        Made if need be; files of the same names are replaced.
    settings : Simulation
        What is simulated.
    people, sessions : int
        How many people, and recordings of each.
    seed : int
        0 or more.
    done : callable or None
        Called with the name of each recording once it is written.

    Returns
    -------
    Path
        The table, ``cohort.tsv``.

    Raises
    ------
    RecipeError
        If numbers are out of bounds.
    RecordingError
        If the folder cannot be made.
    """
    check_numbers(people, seed, sessions)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"The cohort's folder {folder} cannot be made: {error.strerror}.") from error
    rows = [COLUMNS]
    truths: dict[str, Any] = {}
    for index, session in itertools.product(range(people), range(sessions)):
        recording, truth = simulate_person(settings, (seed, index), index % 2, session)
        code = f"person-{index + 1:03d}"
        stem = f"{code}_session-{session + 1}"
        name = f"{stem}.snirf"
        write_snirf(replace(recording, name=stem), folder / name)
        person = truth.person
        rows.append((name, code, str(session + 1), GROUPS[index % 2], f"{person.age:g}", person.sex))
        truths[name] = truth.to_json()
        if done is not None:
            done(stem)
    table = folder / TABLE
    table.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    whole = {
        "note": "Simulated. Accuracy on these recordings says nothing about autism.",
        "settings": settings.to_json(),
        "seed": seed,
        "people": people,
        "sessions": sessions,
        "bayes_ceiling": bayes_ceiling(settings.group_effect),
        "recordings": truths,
    }
    (folder / TRUTH).write_text(json.dumps(whole, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return table
