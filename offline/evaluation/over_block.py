"""Accuracy against seconds since a block's start, and what it amounts to in bits a minute.

At each second two things are predicted of a block: by its newest window alone, and by all its windows so
far (`offline.stats.blocks`).  A second counts from where the label's interval begins to where a window ends:
a live session could have said it then.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from offline.base.predictions import Predictions
from offline.evaluation.fit_and_predict import TIME
from offline.samples.recipe import Recipe
from offline.samples.sample_account import SampleAccount
from offline.stats.blocks import Grouping, by_block, combined, log_probabilities
from offline.stats.intervals import LEVEL, bootstrap_mean_sd
from offline.stats.metrics import FEWEST_FOR_OTHERS
from offline.stats.primary import own_figures
from offline.stats.transfer import ASSUMED, bits_a_minute, wolpaw_bits

MOST_POINTS = 24
SLACK = 1e-6


def over_block(
    table: Predictions, recipe: Recipe, accounts: Sequence[SampleAccount], *, best: Sequence[str | None]
) -> dict[str, Any]:
    """Figures over the course of a block, of the recipe's own condition and of the best baselines.

    Parameters
    ----------
    table : Predictions
        Of windows, all conditions; the recipe's own first.
    recipe, accounts
        What was evaluated; one a recording.
    best : sequence of str or None
        The best baseline, and the best that sees the signal (the clock does not).

    Returns
    -------
    dict
        JSON types.  ``best_simple``; ``over_seconds``: by condition, for each of the seconds, ``people`` and
        ``blocks`` that count, and balanced accuracy (``value``, ``interval`` over people) by the newest
        ``window`` and by all windows ``so_far``.  ``transfer``: by condition what `transfer` gives,
        but of the clock.
    """
    seconds = seconds_of(table, recipe)
    names = list(dict.fromkeys(name for name in (table.conditions[0], *best) if name is not None))
    points = {name: _course(table.of_condition(name), seconds, recipe) for name in names}
    return {
        "best_simple": best[0],
        "over_seconds": points,
        "transfer": {
            name: transfer(its, len(table.labels), wait=wait_of(recipe), accounts=accounts)
            for name, its in points.items()
            if name != TIME  # the clock chooses nothing
        },
    }


def seconds_of(table: Predictions, recipe: Recipe) -> list[float]:
    """At which seconds figures are given.

    From where every block that has all its windows has one, by the window's step, as long as all labels
    last; by a multiple of the step where that would be more than `MOST_POINTS`.
    """
    length, step = recipe.window.length_s, recipe.window.step_s
    blocks = by_block(table.of_condition(table.conditions[0]))
    assert blocks.into_block is not None
    # Half of a label's blocks are measured so long, or longer by less than a step.
    lasts = [float(np.median(blocks.into_block[blocks.y == y])) + step for y in np.unique(blocks.y)]
    longest = min([*lasts, *(interval.duration_s for interval in recipe.labels.intervals.values())])
    n = int(np.floor((longest - length) / step + SLACK))
    if n < 1:
        return [longest]
    stride = -(-n // MOST_POINTS)
    return [round(length + step * k, 6) for k in range(stride, n + 1, stride)]


def wait_of(recipe: Recipe) -> float:
    """Seconds from the event that all labels wait before they hold: part of what a choice takes."""
    delays = [interval.delay_s for interval in recipe.labels.intervals.values()]
    return max(min(delays, default=0.0), 0.0)


def _course(own: Predictions, seconds: Sequence[float], recipe: Recipe) -> list[dict[str, Any]]:
    """The points of one condition."""
    assert own.into_block is not None
    grouping = Grouping.of(own)
    order = np.lexsort((own.into_block, grouping.whose))
    rows, whose = own.rows(order), grouping.whose[order]
    assert rows.into_block is not None
    so_far = combined(_running_mean(log_probabilities(rows), whose))
    points = []
    for second in seconds:
        newest = _newest(whose, rows.into_block <= second + SLACK)
        fresh = newest[rows.into_block[newest] > second - recipe.window.step_s + SLACK]
        seen = rows.rows(newest)
        points.append(
            {
                "seconds": second,
                "bits_per_minute": None,
                "people": len(seen.people),
                "blocks": len(newest) // max(len(np.unique(own.repeat)), 1),
                "window": _figure(rows.rows(fresh), rows.scores[fresh], recipe.training.seed),
                "so_far": _figure(seen, so_far[newest], recipe.training.seed),
            }
        )
    return points


def _running_mean(values: npt.NDArray[np.float64], whose: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Mean of each row and those before it of the same group, (n, k); groups lie together."""
    total = np.cumsum(values, axis=0)
    first = np.flatnonzero(np.diff(whose, prepend=-1))
    group = np.cumsum(np.diff(whose, prepend=-1) != 0) - 1
    before = np.vstack([np.zeros((1, values.shape[1])), total])[first][group]
    n = np.arange(len(whose)) - first[group] + 1
    return np.asarray((total - before) / n[:, np.newaxis])


def _newest(whose: npt.NDArray[np.int64], passed: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """The last row of each group that has passed; groups lie together."""
    rows = np.flatnonzero(passed)
    last = np.flatnonzero(np.diff(whose[rows], append=-1))
    return np.asarray(rows[last])


def _figure(rows: Predictions, scores: npt.NDArray[np.float64], seed: int) -> dict[str, Any]:
    """Balanced accuracy by person: mean, interval over people, and SD of that mean."""
    own = own_figures(replace(rows, scores=scores), "balanced_accuracy")
    values = np.array([value for value in own.values() if value is not None])
    sd = bootstrap_mean_sd(values, seed=seed) if len(values) >= FEWEST_FOR_OTHERS else None
    value = float(values.mean()) if len(values) else None
    ends = None if value is None or sd is None else list(_ends(value, sd, 1))
    return {"value": value, "interval": ends, "people": len(values), "sd": sd}


def _ends(value: float, sd: float, looks: int) -> tuple[float, float]:
    """An interval that holds for so many looks at once (Bonferroni)."""
    half = float(norm.ppf(1.0 - 0.5 * (1.0 - LEVEL) / looks)) * sd
    return max(value - half, 0.0), min(value + half, 1.0)


def transfer(
    points: Sequence[dict[str, Any]], n_labels: int, *, wait: float, accounts: Sequence[SampleAccount]
) -> dict[str, Any] | None:
    """Bits a minute at the best second of a block, by all windows so far.

    Parameters
    ----------
    points : sequence of dict
        As ``over_seconds`` has them; each is given its ``bits_per_minute``.
    wait : float
        Seconds before a block starts that a choice takes besides.
    accounts : sequence of SampleAccount
        How long people were recorded: warm-up, pauses and lost blocks cost time too.

    Returns
    -------
    dict or None
        JSON types; None where no second has an accuracy.  ``second``, ``accuracy`` there, its ``interval``
        (wide enough for all seconds that were looked at), ``bits`` of a block, ``seconds_needed`` for a
        choice, ``bits_per_minute`` and its ``bits_interval``, ``bits_per_minute_as_recorded`` (the blocks
        that could be predicted, over all minutes recorded), ``above_chance`` (None where it is not known)
        and what is ``assumed``.
    """
    for point in points:
        value = point["so_far"]["value"]
        rate = None if value is None else float(bits_a_minute(value, n_labels, point["seconds"] + wait))
        point["bits_per_minute"] = rate
    known = [point for point in points if point["bits_per_minute"] is not None]
    if not known:
        return None
    best = max(known, key=lambda point: (point["bits_per_minute"], point["so_far"]["value"]))
    value, sd = best["so_far"]["value"], best["so_far"]["sd"]
    needed = best["seconds"] + wait
    ends = None if sd is None else _ends(value, sd, len(known))
    bits = float(wolpaw_bits(value, n_labels))
    recorded = sum(account.recorded_s for account in accounts)
    return {
        "second": best["seconds"],
        "accuracy": value,
        "interval": None if ends is None else list(ends),
        "labels": n_labels,
        "bits": bits,
        "seconds_needed": needed,
        "bits_per_minute": best["bits_per_minute"],
        "bits_interval": None
        if ends is None
        else [float(bits_a_minute(end, n_labels, needed)) for end in ends],
        "bits_per_minute_as_recorded": 60.0 * bits * best["blocks"] / recorded if recorded else None,
        "above_chance": None if ends is None else bool(ends[0] > 1.0 / n_labels),
        "looked_at": len(known),
        "assumed": ASSUMED,
    }
