"""A stopping rule says a label at its bounds and beyond, and goes on between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence.accumulation import Rule

finite = st.floats(-50, 50)


@given(lower=finite, upper=finite, at=finite)
def test_a_rule_stops_at_its_bounds_and_nowhere_between(lower: float, upper: float, at: float) -> None:
    if not lower < upper:
        with pytest.raises(ValueError, match="expected lower < upper"):
            Rule(upper=upper, lower=lower)
        return
    rule = Rule(upper=upper, lower=lower)
    assert rule.reached(upper) == 1
    assert rule.reached(lower) == 0
    expected = 1 if at >= upper else 0 if at <= lower else None
    assert rule.reached(at) == expected
