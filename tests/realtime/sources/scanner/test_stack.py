"""Slices of a file each become volumes by their places, not by whose scanner it was."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import VolumeError
from realtime.sources.scanner.image import ScannerImage
from realtime.sources.scanner.reading import read_images
from realtime.sources.scanner.remarks import ScannerFault
from realtime.sources.scanner.stack import SliceStack
from tests.realtime.sources.scanner.files import files, volumes

SLICES = 7


def all_slices(count: int = 3) -> list[ScannerImage]:
    contents = files("slices", volumes(3)[:count])
    return [image for name, content in contents.items() for image in read_images(Path(name), content)]


ALL = all_slices()


def stacked(images: Sequence[ScannerImage]) -> list[ScannerImage]:
    stack = SliceStack(images[0])
    return [v for one in images if one.slice_of for v in stack.add(one, one.slice_of, 0.0)]


def test_the_first_volume_is_whole_when_a_place_comes_again() -> None:
    stack = SliceStack(ALL[0])
    given = []
    for count, one in enumerate(ALL, start=1):
        assert one.slice_of is not None
        given += [(v.number, count) for v in stack.add(one, one.slice_of, 0.0)]
    assert given == [(1, SLICES + 1), (2, 2 * SLICES), (3, 3 * SLICES)]


def test_where_the_file_says_how_many_there_are_the_first_volume_does_not_wait() -> None:
    stack = SliceStack(ALL[0])
    given = []
    for count, one in enumerate(ALL[:SLICES], start=1):
        assert one.slice_of is not None
        given += [(v.number, count) for v in stack.add(one, replace(one.slice_of, per_volume=SLICES), 0.0)]
    assert given == [(1, SLICES)]


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(3 * SLICES)))
def test_in_any_order_the_same_volumes(order: list[int]) -> None:
    found = {image.number: image for image in stacked([ALL[k] for k in order])}
    assert set(found) == {1, 2, 3}
    for number, volume in enumerate(volumes(3), start=1):
        np.testing.assert_array_equal(found[number].data, volume.stored.astype(np.float32))


def test_a_slice_that_never_comes_costs_its_volume_by_name_and_no_other() -> None:
    stack = SliceStack(ALL[0])
    found = []
    for k, one in enumerate(ALL):
        assert one.slice_of is not None
        if k != SLICES + 2:
            found += stack.add(one, one.slice_of, float(k))
    assert [image.number for image in found] == [1, 3]
    (remark,) = stack.given_up(100.0, 2.0)
    assert remark.fault is ScannerFault.INCOMPLETE
    assert "Volume 2 has 6 of 7 slices" in remark.text
    assert stack.given_up(200.0, 2.0) == []


def test_instances_that_count_otherwise_are_refused() -> None:
    stack = SliceStack(ALL[0])
    for one in ALL[: SLICES + 1]:
        assert one.slice_of is not None
        stack.add(one, one.slice_of, 0.0)
    wrong = ALL[SLICES + 1]
    assert wrong.slice_of is not None
    with pytest.raises(VolumeError, match="one volume"):
        stack.add(wrong, replace(wrong.slice_of, instance=SLICES + 5), 0.0)


def test_slices_of_another_shape_are_refused() -> None:
    other = replace(ALL[1], data=ALL[1].data[:-1], grid=replace(ALL[1].grid, shape=(11, 10, 1)))
    assert other.slice_of is not None
    with pytest.raises(VolumeError, match="one stack"):
        SliceStack(ALL[0]).add(other, other.slice_of, 0.0)
