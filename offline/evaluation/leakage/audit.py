"""An audit: each leakage protocol beside its honest twin, with true labels and with permuted ones.

It shows what a protocol gives on these data, and nothing about any paper: whoever divides windows at random
may still have found something.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.base.predictions import Predictions
from offline.base.sample_table import SampleTable
from offline.evaluation.leakage.protocols import HONEST, AuditTask, LabelsOf, LeakageProtocol
from offline.stats.permutation import FEWEST

Evaluated = Sequence[tuple[AuditTask, Predictions]]
"""Tasks, and what their models predicted of their folds' test samples."""
Round = dict[int | None, list[Predictions]]
"""By setting, what was predicted in all folds of one division."""
LABELS = ("0", "1")
Z = 1.96
"""Half the width of a 95 % interval, in standard deviations."""
SAYS = (
    "what these protocols give on these data, where the honest twin holds out whole people (also if the "
    "evaluation divides their time); no verdict on any paper"
)


def audit_of(
    evaluated: Evaluated,
    protocols: Sequence[LeakageProtocol],
    metrics: Sequence[str],
    figures: Callable[[Predictions], Mapping[str, float]],
    spread: Callable[[Predictions, Predictions], float] | None = None,
    *,
    model: str,
    unit: str,
) -> dict[str, Any]:
    """Put every protocol beside its honest twin.

    Parameters
    ----------
    evaluated : sequence of (AuditTask, Predictions)
        All tasks in their order, and what was predicted of their test samples.
    protocols : sequence of LeakageProtocol
        Those that were tried.
    metrics : sequence of str
        Which figures; the first is the one that protocols are compared by.
    figures : callable
        The metrics of one round of a protocol, or of its twin.
    spread : callable or None
        SD of the first metric's difference to the twin over draws of people, in one round.
    model : str
        What every task fits.
    unit : {"person", "sample"}
        What the figures count.

    Returns
    -------
    dict
        What ``audit.json`` holds: under ``protocols`` for each what is done (``explained``), the figures
        of ``leaky`` and ``honest`` (``value``, the mean over divisions with true labels, and ``permuted``),
        and their ``difference``.
    """
    rounds: dict[tuple[LeakageProtocol, bool], dict[object, Round]] = {}
    for task, own in evaluated:
        each = rounds.setdefault((task.protocol, task.leaky), {}).setdefault(
            (task.permutation, task.seed), {}
        )
        each.setdefault(task.setting, []).append(own)
    found = {key: _figures_of(own, metrics, figures) for key, own in rounds.items()}
    compared = {}
    for protocol in protocols:
        leaky, twin = (protocol, True), (protocol, False) if (protocol, False) in found else (HONEST, False)
        sd = np.nan
        if spread is not None:
            pairs = zip(_true(rounds[leaky]), _true(rounds[twin]), strict=True)
            sd = float(np.mean([spread(_whole(a)[0], _whole(b)[0]) for a, b in pairs]))
        compared[str(protocol)] = {
            "explained": f"{protocol.leaks}; its honest twin {protocol.twin}.",
            "leaky": {metric: _figure(*found[leaky][metric]) for metric in metrics},
            "honest": {metric: _figure(*found[twin][metric]) for metric in metrics},
            "difference": {
                metric: _difference(found[leaky][metric], found[twin][metric], sd if i == 0 else np.nan)
                for i, metric in enumerate(metrics)
            },
        }
    true, permuted = found[twin][metrics[0]]
    return {
        "metrics": list(metrics),
        "unit": unit,
        "model": model,
        "divisions": len(true),
        "permutations": len(permuted),
        "protocols": compared,
        "says": SAYS,
    }


def predicted(task: AuditTask, scores: Floats, table: SampleTable, labels: LabelsOf) -> Predictions:
    """Probabilities of a task's test samples, (n, 2) float64, beside the labels of its permutation."""
    return Predictions.of_fold(LABELS, replace(table, target=labels(task.permutation)), task.fold, scores)


def _whole(each: Round) -> list[Predictions]:
    return [Predictions.concatenate(parts) for parts in each.values()]


def _true(rounds: Mapping[Any, Round]) -> list[Round]:
    return [each for (permutation, _), each in rounds.items() if permutation is None]


def _figures_of(
    rounds: Mapping[Any, Round],
    metrics: Sequence[str],
    figures: Callable[[Predictions], Mapping[str, float]],
) -> dict[str, tuple[Floats, Floats]]:
    """By metric, with true labels (n_divisions,) and with permuted ones (n_permutations,)."""
    # Whoever reports the best of several settings reports the one with the greatest first figure.
    best = [max(map(figures, _whole(each)), key=lambda its: its[metrics[0]]) for each in rounds.values()]
    n = len(_true(rounds))  # they come first
    values = {metric: np.array([its[metric] for its in best]) for metric in metrics}
    return {metric: (own[:n], own[n:]) for metric, own in values.items()}


def _figure(true: Floats, permuted: Floats) -> dict[str, Any]:
    sd = float(permuted.std(ddof=1)) if len(permuted) > 1 else np.nan
    values = [_known(float(value)) for value in permuted]
    return {
        "value": _known(float(np.mean(true))),
        "permuted": {**_mean(permuted), "sd": _known(sd), "values": values},
    }


def _difference(leaky: tuple[Floats, Floats], honest: tuple[Floats, Floats], spread: float) -> dict[str, Any]:
    value = float(np.mean(leaky[0])) - float(np.mean(honest[0]))
    apart = leaky[1] - honest[1]
    # Permuting shows how far a difference strays that is none; drawing people, how far one does that depends
    # on who came. The wider of the two is reported.
    spreads = [spread, *([float(np.std(apart, ddof=1))] if len(apart) >= FEWEST else [])]
    known = [sd for sd in spreads if np.isfinite(sd)]
    return {
        "value": _known(value),
        "interval": _around(value, max(known)) if known and np.isfinite(value) else None,
        "permuted": _mean(apart),
    }


def _mean(values: Floats) -> dict[str, Any]:
    """The mean of independent values, and an interval for it where they are enough."""
    mean = float(np.mean(values)) if len(values) else np.nan
    if len(values) < FEWEST or not np.isfinite(mean):
        return {"mean": _known(mean), "interval": None}
    return {"mean": mean, "interval": _around(mean, float(np.std(values, ddof=1)) / np.sqrt(len(values)))}


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _around(value: float, sd: float) -> list[float]:
    return [value - Z * sd, value + Z * sd]
