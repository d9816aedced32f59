"""How sure a mean over people is, where some were measured together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from offline.stats.intervals import standard_error


@given(values=st.lists(st.floats(-5, 5), min_size=2, max_size=12))
@settings(max_examples=40, deadline=None)
def test_the_standard_error_is_over_units(values: list[float]) -> None:
    """Of people each by themselves the usual one; partners who say the same count as one."""
    each = np.array(values)
    names = np.array([f"u{i:02d}" for i in range(len(each))])
    usual = each.std(ddof=1) / np.sqrt(len(each))
    np.testing.assert_allclose(standard_error(each, names), usual, atol=1e-12)
    np.testing.assert_allclose(standard_error(np.repeat(each, 2), np.repeat(names, 2)), usual, atol=1e-12)
    assert standard_error(each, np.full(len(each), "all")) == np.inf
