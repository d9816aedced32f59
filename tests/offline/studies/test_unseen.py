"""A scan model's card says of unseen people what its study's report says."""

import pytest

from models.errors import HemostreamError
from offline.studies.unseen import unseen_of

FIGURE = {"value": 0.79, "interval": [0.64, 0.93]}
OWN = {"people": 48, "majority_rate": 0.5, "auc": FIGURE, "balanced_accuracy": FIGURE}


def test_by_unseen_site_or_else_by_ten_folds() -> None:
    tenfold = {**OWN, "people": 60}
    both = unseen_of({"conditions": {"unseen site": OWN, "10-fold": tenfold}})
    assert both is not None
    found = "by unseen person: AUC .79 (.64 to .93), 48 people"
    assert both.line == f"{found}; above chance by its interval, without a permutation test"
    one = unseen_of({"conditions": {"10-fold": tenfold}})
    assert one is not None
    assert one.people == 60


def test_without_a_report_nothing_is_said() -> None:
    assert unseen_of({}) is None
    assert unseen_of({"conditions": {}}) is None


def test_a_report_without_figures_is_refused() -> None:
    with pytest.raises(HemostreamError, match="cannot be used"):
        unseen_of({"conditions": {"10-fold": {"people": 3}}})
