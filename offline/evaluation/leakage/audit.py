"""An audit: each leakage protocol beside its honest twin, with true labels and with permuted ones.

It says what a protocol gives on these data, and nothing about any paper: whoever divides windows at random
may still have found something.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from models.arrays import Floats
from offline.evaluation.leakage.protocols import HONEST, AuditTask, LeakageProtocol
from offline.stats.permutation import FEWEST

Evaluated = Sequence[tuple[AuditTask, Floats]]
"""Tasks, and what their models predicted of their folds' test samples."""
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
    figures: Callable[[Evaluated], Mapping[str, float]],
    spread: Callable[[Evaluated, Evaluated], float] | None = None,
    *,
    model: str,
    unit: str,
) -> dict[str, Any]:
    """Put every protocol beside its honest twin.

    Parameters
    ----------
    evaluated : sequence of (AuditTask, (n, n_scores) float64)
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
    rounds: dict[tuple[LeakageProtocol, bool], dict[object, list[tuple[AuditTask, Floats]]]] = {}
    for task, predicted in evaluated:
        key = task.protocol, task.leaky
        rounds.setdefault(key, {}).setdefault((task.permutation, task.seed), []).append((task, predicted))
    found = {key: _figures_of(list(own.values()), metrics, figures) for key, own in rounds.items()}
    compared = {}
    for protocol in protocols:
        leaky, twin = (protocol, True), (protocol, False) if (protocol, False) in found else (HONEST, False)
        sd = np.nan
        if spread is not None:
            pairs = zip(rounds[leaky].values(), rounds[twin].values(), strict=True)
            sd = float(np.mean([spread(a, b) for a, b in pairs if a[0][0].permutation is None]))
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


def _figures_of(
    rounds: Sequence[Evaluated],
    metrics: Sequence[str],
    figures: Callable[[Evaluated], Mapping[str, float]],
) -> dict[str, tuple[Floats, Floats]]:
    """By metric, with true labels (n_divisions,) and with permuted ones (n_permutations,)."""
    found: dict[bool, list[Mapping[str, float]]] = {True: [], False: []}
    for own in rounds:
        settings = dict.fromkeys(task.setting for task, _ in own)
        each = [figures([pair for pair in own if pair[0].setting == setting]) for setting in settings]
        # Whoever reports the best of several settings reports the one with the greatest first figure.
        found[own[0][0].permutation is None].append(max(each, key=lambda its: its[metrics[0]]))
    true, permuted = found[True], found[False]
    return {
        metric: (np.array([its[metric] for its in true]), np.array([its[metric] for its in permuted]))
        for metric in metrics
    }


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
