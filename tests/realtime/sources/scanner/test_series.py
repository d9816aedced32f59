"""Volumes leave in order, each once, whatever the order of their files."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.sources.scanner.series import OrderedVolume, SeriesOrder
from realtime.volumes.volume import VoxelGrid

TR = 2.0
GRID = VoxelGrid((2, 2, 2), np.eye(4))


def image(number: int, value: float | None = None) -> ScannerImage:
    data = np.full(GRID.shape, number if value is None else value, np.float32)
    return ScannerImage(data, GRID, "s", number, f"uid {number}", "mosaic", TR, None)


def play(
    arrivals: list[tuple[float, int]], *, joined: bool = False, until: float = 1e4
) -> tuple[list[int], list[ScannerRemark]]:
    """Numbers in the order in which they leave, and what is said."""
    numbers: list[int] = []
    said: list[ScannerRemark] = []
    order: SeriesOrder | None = None
    events = [*sorted(arrivals), (until, 0)]
    for now, number in events:
        if number:
            one = image(number)
            order = order or SeriesOrder(one, joined=joined)
            if (remark := order.add(OrderedVolume(one, f"{number}.dcm", now))) is not None:
                said.append(remark)
        assert order is not None
        for happening in order.ready(now):
            if isinstance(happening, ScannerRemark):
                said.append(happening)
            else:
                numbers.append(happening.image.number)
    return numbers, said


@settings(max_examples=60, deadline=None)
@given(
    delays=st.lists(st.floats(0, 0.89 * TR), min_size=1, max_size=12),
    twice=st.lists(st.integers(1, 12), max_size=4),
)
def test_volumes_that_come_late_by_most_of_a_tr_leave_in_order_and_once(
    delays: list[float], twice: list[int]
) -> None:
    n = len(delays)
    arrivals = [(TR * k + delay, k + 1) for k, delay in enumerate(delays)]
    again = [(TR * n + 5, number) for number in twice if number <= n]
    numbers, said = play(arrivals + again)
    assert numbers == list(range(1, n + 1))
    assert len(said) == len(again)
    assert {remark.fault for remark in said} <= {ScannerFault.DUPLICATE}


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(range(1, 9)), gone=st.sets(st.integers(1, 8), max_size=3))
def test_whatever_the_order_numbers_only_grow_and_nothing_is_lost_unsaid(
    order: list[int], gone: set[int]
) -> None:
    arrivals = [(TR * k, number) for k, number in enumerate(order) if number not in gone]
    numbers, said = play(arrivals)
    assert numbers == sorted(set(numbers))
    late = {int(remark.text.split(".dcm")[0]) for remark in said if remark.fault is ScannerFault.LATE}
    assert set(numbers) | late == set(order) - gone
    last = max(set(order) - gone, default=0)
    if any(number < last for number in gone):
        assert ScannerFault.MISSING in {remark.fault for remark in said}


def test_a_missing_volume_is_named_within_two_tr_and_what_follows_waits_less_than_one() -> None:
    order = SeriesOrder(image(1), joined=False)
    for number, now in ((1, 0.0), (3, 2 * TR)):
        assert order.add(OrderedVolume(image(number), f"{number}.dcm", now)) is None
        list(order.ready(now))
    assert list(order.ready(2 * TR + 0.85 * TR)) == []
    missing, third = order.ready(2.91 * TR)
    assert isinstance(missing, ScannerRemark)
    assert missing.fault is ScannerFault.MISSING
    assert "Volume 2 is missing" in missing.text
    assert isinstance(third, OrderedVolume)
    late = order.add(OrderedVolume(image(2), "2.dcm", 3 * TR))
    assert late is not None
    assert late.fault is ScannerFault.LATE


def test_a_series_that_was_joined_begins_with_what_comes() -> None:
    assert play([(0.0, 40), (TR, 41)], joined=True) == ([40, 41], [])
    numbers, said = play([(0.0, 40), (TR, 41)])
    assert numbers == [40, 41]
    assert "Volumes 1 to 39 are missing" in said[0].text


def test_numbers_may_begin_with_0() -> None:
    assert play([(0.0, 0 + 1), (TR, 2)])[0] == [1, 2]
    order = SeriesOrder(image(0), joined=False)
    order.add(OrderedVolume(image(0), "0.dcm", 0.0))
    assert [one.image.number for one in order.ready(0.0) if isinstance(one, OrderedVolume)] == [0]


def test_another_volume_under_the_same_number_is_no_duplicate() -> None:
    order = SeriesOrder(image(1), joined=False)
    order.add(OrderedVolume(image(1), "1.dcm", 0.0))
    remark = order.add(OrderedVolume(image(1, 99.0), "again.dcm", 0.0))
    assert remark is not None
    assert remark.fault is ScannerFault.CONFLICT


def test_another_matrix_is_refused_by_name() -> None:
    order = SeriesOrder(image(1), joined=False)
    other = replace(image(2), data=np.zeros((2, 2, 3), np.float32), grid=VoxelGrid((2, 2, 3), np.eye(4)))
    remark = order.add(OrderedVolume(other, "2.dcm", 0.0))
    assert remark is not None
    assert remark.fault is ScannerFault.OTHER_GRID
    assert "2 x 2 x 3" in remark.text
    assert "2 x 2 x 2" in remark.text


def test_only_so_many_are_held_behind_a_gap() -> None:
    order = SeriesOrder(image(1), joined=False)
    for number in range(2, 80):
        order.add(OrderedVolume(image(number), f"{number}.dcm", 0.0))
    left = [one.image.number for one in order.ready(0.0) if isinstance(one, OrderedVolume)]
    assert left == list(range(2, 80))
