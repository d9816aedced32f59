"""Kept once a sample, windows are what they were: bit for bit, however they overlap."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline.base.cohort import read_cohort
from offline.base.window_store import KeptWindows
from offline.samples.samples import collect
from offline.training.train import train_within
from tests.offline.support import task_cohort, task_recipe


def cut(
    rng: np.random.Generator, steps: list[int], length: int, new: list[bool]
) -> tuple[list[npt.NDArray[np.float32]], list[float]]:
    """Windows some steps apart; where ``new`` says so they are of another signal (as behind a reset)."""
    signal = rng.normal(size=(3, sum(steps) + length)).astype(np.float32)
    windows, starts, at = [], [], 0
    for step, other in zip(steps, new, strict=True):
        at += step
        if other:
            signal = rng.normal(size=signal.shape).astype(np.float32)
        windows.append(signal[:, at : at + length].copy())
        starts.append(100.0 + at / 8.0)
    return windows, starts


patterns = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=20)


@given(pattern=patterns, length=st.integers(1, 9), seed=st.integers(0, 2**31))
def test_they_are_the_copies_bit_for_bit(pattern: list[tuple[int, bool]], length: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps, new = [list(each) for each in zip(*pattern, strict=True)]
    windows, starts = cut(rng, steps, length, new)
    copies = np.stack(windows)
    kept = KeptWindows.of(windows, starts, 8.0)
    assert kept.shape == copies.shape
    np.testing.assert_array_equal(np.asarray(kept).view(np.uint32), copies.view(np.uint32))
    chosen = rng.integers(0, len(windows), 7)
    np.testing.assert_array_equal(kept[chosen], copies[chosen])
    np.testing.assert_array_equal(kept[1::2], copies[1::2])
    flags = rng.random(len(windows)) < 0.5
    np.testing.assert_array_equal(kept[flags], copies[flags])
    for i in (0, -1):
        np.testing.assert_array_equal(kept[i], copies[i])
    np.testing.assert_array_equal(np.asarray(kept.channels([2, 0])), copies[:, [2, 0]])
    twice = KeptWindows.concatenate([kept, kept])
    np.testing.assert_array_equal(np.asarray(twice), np.concatenate([copies, copies]))
    shared = [
        min(step, length) if not other else length for step, other in zip(steps[1:], new[1:], strict=True)
    ]
    assert kept.signal.shape[1] == length + sum(shared)


def test_a_window_is_a_view_that_no_one_can_write_to() -> None:
    windows, starts = cut(np.random.default_rng(0), [1] * 5, 4, [False] * 5)
    kept = KeptWindows.of(windows, starts, 8.0)
    assert np.shares_memory(kept[0], kept.signal)
    assert np.shares_memory(kept[0], kept[1])
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0, 0] = 1.0
    assert not np.shares_memory(kept[:], kept.signal)
    kept.signal[0, 0] = 5.0  # the signal itself is not locked by having been looked at
    assert kept[0][0, 0] == 5.0


def test_a_window_beyond_what_is_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="begin at 0 to 3, but 5 are kept"):
        KeptWindows(np.zeros((2, 5), np.float32), np.array([0, 3]), 4)


def test_an_array_without_a_copy_is_refused() -> None:
    kept = KeptWindows(np.zeros((2, 5), np.float32), np.array([0]), 4)
    with pytest.raises(ValueError, match="always a copy"):
        np.asarray(kept, copy=False)


def test_training_is_the_same_bit_for_bit_from_views_and_from_copies(tmp_path: Path) -> None:
    recipe = task_recipe(model={"kind": "lstm", "params": {"components": 2}})
    samples = collect(read_cohort(task_cohort(tmp_path, sessions=1)), recipe)
    kept = samples.X
    assert isinstance(kept, KeptWindows)
    assert kept.nbytes < 0.5 * np.asarray(kept).nbytes
    rows = np.arange(len(samples))
    states = [
        train_within(replace(samples, X=X), recipe, rows, seed=3).fitted.network.state_dict()
        for X in (kept, np.asarray(kept))
    ]
    for name, value in states[0].items():
        assert np.array_equal(value.numpy(), states[1][name].numpy()), name
