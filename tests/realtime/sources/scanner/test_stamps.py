"""Stamps: the volumes' own count, on our clock."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.sources.scanner.remarks import ScannerFault
from realtime.sources.scanner.stamps import VolumeStamps

TR = 2.0


def stamps(
    arrivals: list[tuple[int, float]], acquired: list[float] | None = None
) -> tuple[list[float], list]:
    made = VolumeStamps(TR)
    out, said = [], []
    for index, (number, arrived) in enumerate(arrivals):
        stamp, remark = made.of(number, arrived, None if acquired is None else acquired[index])
        out.append(stamp)
        said.append(remark)
    return out, [remark for remark in said if remark is not None]


@settings(max_examples=100, deadline=None)
@given(
    delays=st.lists(st.floats(0, 1.9), min_size=2, max_size=20),
    gone=st.sets(st.integers(2, 20), max_size=6),
)
def test_stamps_grow_never_lie_ahead_and_settle_on_the_count(delays: list[float], gone: set[int]) -> None:
    arrivals = [(k, 100 + k * TR + d) for k, d in enumerate(delays, start=1) if k not in gone]
    # The order of arrival is that of the numbers: whoever came before its time waited for those before it.
    latest = np.maximum.accumulate([arrived for _, arrived in arrivals])
    arrivals = [(number, at) for (number, _), at in zip(arrivals, latest.tolist(), strict=True)]
    found, said = stamps(arrivals)
    assert not said
    assert (np.diff(found) > 0).all()
    assert all(stamp <= arrived + 1e-9 for stamp, (_, arrived) in zip(found, arrivals, strict=True))
    punctual = min(range(len(arrivals)), key=lambda i: arrivals[i][1] - arrivals[i][0] * TR)
    after = [(number, stamp) for (number, _), stamp in zip(arrivals, found, strict=True)][punctual:]
    for (a, first), (b, second) in pairwise(after):
        assert second - first == pytest.approx((b - a) * TR)


def test_a_missing_volume_leaves_a_gap_of_its_length_and_jitter_none() -> None:
    found, _ = stamps([(1, 10.0), (2, 12.7), (4, 16.2), (5, 18.9)])
    assert np.diff(found).tolist() == pytest.approx([2, 4, 2])


def test_a_console_that_is_an_hour_off_changes_nothing() -> None:
    arrivals = [(k, 10 + k * TR) for k in range(1, 6)]
    plain, _ = stamps(arrivals)
    off, said = stamps(arrivals, [3600 + k * TR for k in range(1, 6)])
    assert off == plain
    assert not said


def test_a_console_that_is_set_by_an_hour_is_said_once_and_changes_nothing() -> None:
    arrivals = [(k, 10 + k * TR) for k in range(1, 7)]
    found, said = stamps(
        arrivals, [k * TR + (3600 if k > 3 else 0) - (7200 if k > 5 else 0) for k in range(1, 7)]
    )
    assert found == stamps(arrivals)[0]
    assert [remark.fault for remark in said] == [ScannerFault.CLOCK]
    assert "3600" in said[0].text


def test_a_pause_of_the_scanner_is_a_gap_and_a_late_export_is_none() -> None:
    pause = [(1, 10.0), (2, 12.0), (3, 44.0), (4, 46.0)]
    found, said = stamps(pause, [0.0, 2.0, 34.0, 36.0])
    assert np.diff(found).tolist() == pytest.approx([2, 32, 2])
    assert [remark.fault for remark in said] == [ScannerFault.PAUSE]
    late, said = stamps(pause, [0.0, 2.0, 4.0, 6.0])
    assert np.diff(late).tolist() == pytest.approx([2, 2, 2])
    assert not said


def test_a_repetition_time_that_is_rounded_does_not_let_stamps_fall_behind() -> None:
    true = [2.008 * k for k in range(1, 301)]
    arrivals = [(k, 50 + at) for k, at in enumerate(true, start=1)]
    by_console, said = stamps(arrivals, [1e9 + at for at in true])
    np.testing.assert_allclose(by_console, [arrived for _, arrived in arrivals], atol=1e-6)
    by_arrival, also_said = stamps(arrivals)
    late = np.array([arrived for _, arrived in arrivals]) - by_arrival
    assert (late >= -1e-9).all()
    assert late.max() < 0.6
    assert not said
    assert not also_said


def test_a_repetition_time_that_is_too_long_never_puts_stamps_ahead() -> None:
    arrivals = [(k, 50 + 1.99 * k) for k in range(1, 101)]
    for acquired in (None, [1.99 * k for k in range(1, 101)]):
        found, said = stamps(arrivals, acquired)
        np.testing.assert_allclose(found, [arrived for _, arrived in arrivals], atol=1e-6)
        assert not said


def test_without_a_repetition_time_stamps_are_arrivals() -> None:
    made = VolumeStamps(None)
    assert [made.of(n, t)[0] for n, t in ((1, 5.0), (2, 6.5))] == [5.0, 6.5]
    assert made.of(3, 6.5)[0] > 6.5


def test_what_lay_there_counts_back_from_now() -> None:
    made = VolumeStamps(TR)
    made.start(1, 100.0 - 3 * TR)
    assert [made.of(n, 100.0)[0] for n in (1, 2, 4)] == [94.0, 96.0, 100.0]
