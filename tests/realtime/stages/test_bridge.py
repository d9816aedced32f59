"""Bridging: a lone cell lies between its neighbours, and nothing else is made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import Bools, Floats
from models.errors import RecipeError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import make_stage
from realtime.stages.base import Reset

N, T = 4, 30
SPEC = SignalSpec(tuple(Channel(name=f"r{k}", kind=Kind.BOLD, unit="a.u.") for k in range(N)), 0.5)


def bridged(data: Floats, *, lost: float = 0.5, cut: int | None = None) -> Chunk:
    """What leaves of a signal of 2 s a sample, NaN where nothing was measured."""
    stage = make_stage({"stage": "bridge", "lost": lost}, SPEC)
    times = np.arange(data.shape[1]) * 2.0
    parts = [slice(None)] if cut is None else [slice(0, cut), slice(cut, None)]
    return Chunk.concatenate(
        [stage.process(Chunk(SPEC, data[:, k], times[k], np.isnan(data[:, k]))) for k in parts]
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    row=st.integers(0, N - 1),
    at=st.integers(1, T - 2),
    cut=st.integers(1, T - 1),
)
def test_a_lone_cell_lies_between_its_neighbours(seed: int, row: int, at: int, cut: int) -> None:
    data = np.random.default_rng(seed).normal(size=(N, T))
    expected = data.copy()
    expected[row, at] = (data[row, at - 1] + data[row, at + 1]) / 2
    data[row, at] = np.nan
    out = bridged(data, cut=cut)
    assert not out.missing.any()
    np.testing.assert_allclose(out.data, expected, rtol=0, atol=1e-12)


def test_two_in_a_row_the_first_and_lost_volumes_stay_missing() -> None:
    data = np.random.default_rng(0).normal(size=(N, T))
    data[0, 5:7] = np.nan
    data[1, 0] = np.nan
    data[:3, 12] = np.nan  # three of four: lost as a whole
    data[:, 20] = np.nan
    gone: Bools = np.isnan(data)
    np.testing.assert_array_equal(bridged(data).missing, gone)
    other = gone.copy()
    other[:, [12, 20]] = False
    np.testing.assert_array_equal(bridged(data, lost=1.0).missing, other)


def test_a_sample_waits_only_while_a_cell_of_it_may_be_bridged() -> None:
    stage = make_stage({"stage": "bridge"}, SPEC)
    data = np.random.default_rng(0).normal(size=(N, 4))
    data[2, 2] = np.nan
    left = []
    for k in range(4):
        chunk = Chunk(SPEC, data[:, k : k + 1], np.array([2.0 * k]), np.isnan(data[:, k : k + 1]))
        left.append(stage.process(chunk).n_samples)
    assert left == [1, 1, 0, 2]
    data[2, 3] = np.nan
    stage.process(Chunk(SPEC, data[:, 3:], np.array([8.0]), np.isnan(data[:, 3:])))
    stage.reset(Reset.GAP)
    behind = stage.process(Chunk(SPEC, data[:, :2], np.array([60.0, 62.0]), np.zeros((N, 2), bool)))
    assert behind.times.tolist() == [60.0, 62.0]


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(RecipeError, match="lost"):
        make_stage({"stage": "bridge", "lost": 1.5}, SPEC)
