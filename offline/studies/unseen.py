"""What a study's report says of people whom its system had not seen, as a scan model's card keeps it."""

from collections.abc import Mapping
from typing import Any

from models.errors import HemostreamError
from models.evidence.unseen import METRICS, UnseenEvaluation, UnseenFigure
from offline.report.study import TENFOLD, UNSEEN_SITE


def unseen_of(evaluation: Mapping[str, Any]) -> UnseenEvaluation | None:
    """Figures by unseen site, or else of ten folds; a person is one scan.

    Without p: a study's null is of its ten folds.

    Parameters
    ----------
    evaluation : mapping
        What is on the card of the report; empty where there was none.

    Returns
    -------
    UnseenEvaluation or None
        None without a report of either.

    Raises
    ------
    HemostreamError
        The report lacks a figure.
    """
    conditions = evaluation.get("conditions", {})
    own = conditions.get(UNSEEN_SITE, conditions.get(TENFOLD))
    if own is None:
        return None
    try:
        auc, balanced = (
            UnseenFigure(value=own[name]["value"], interval=own[name]["interval"]) for name in METRICS
        )
        return UnseenEvaluation(
            primary="auc",
            auc=auc,
            balanced_accuracy=balanced,
            people=own["people"],
            windows=own["people"],
            majority=own["majority_rate"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HemostreamError(f"The study's report cannot be used: {error}. Run the study again.") from error
