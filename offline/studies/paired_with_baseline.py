"""Each study beside the linear baseline, on the same people: the paired comparison that a table of intervals
does not show."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offline.base.predictions import Predictions, read_predictions
from offline.studies.figures import apart
from offline.studies.profile import UNSEEN_SITE

BASELINE = "ridge"


def paired_with_ridge(out: Path, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """AUC within sites of every study less that of ridge on connectivity, by unseen site.

    Parameters
    ----------
    out : Path
        Folder of reports, one a study.
    names : sequence of str
        Of studies that are there.

    Returns
    -------
    dict of str to dict
        ``difference`` and ``interval`` by name; without the baseline itself, and without studies that judged
        other people than it.
    """
    if BASELINE not in names:
        return {}
    ridge = _unseen(out / BASELINE)
    found: dict[str, Mapping[str, Any]] = {}
    for name in names if len(ridge) else ():
        own = _unseen(out / name)
        if name != BASELINE and len(own) and (its := apart(own, ridge, "auc")) is not None:
            found[name] = its
    return found


def _unseen(folder: Path) -> Predictions:
    return read_predictions(folder / "predictions.csv").of_condition(UNSEEN_SITE)
