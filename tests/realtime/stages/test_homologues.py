"""Differences of homologous channels."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.quality.channels import made_of
from realtime.signal import Channel, Chunk, Kind, Position, SignalSpec
from realtime.stages.homologues import Homologues, homologous_pairs, mirrored


def _spec(places: Sequence[Position | None], kind: Kind = Kind.HBO) -> SignalSpec:
    return SignalSpec(
        tuple(
            Channel(name=f"ch{i}", kind=kind, unit="mol/L", source=i, detector=i, position=place)
            for i, place in enumerate(places)
        ),
        8.0,
    )


LEFT = [(-0.05, 0.01, 0.03), (-0.04, 0.03, 0.03), (-0.06, -0.02, 0.02)]
BOTH = _spec([*LEFT, *((-x, y, z) for x, y, z in LEFT), (0.001, 0.05, 0.05)])


def test_each_is_subtracted_from_its_mirror_image_and_the_midline_stays_out() -> None:
    stage = Homologues(BOTH)
    assert stage.spec_out.names == ("ch0 - ch3", "ch1 - ch4", "ch2 - ch5")
    data = np.arange(14.0).reshape(7, 2)
    missing = np.zeros((7, 2), dtype=bool)
    missing[4, 1] = True
    out = stage.process(Chunk(BOTH, data, np.arange(2.0), missing))
    np.testing.assert_array_equal(out.missing, [[False, False], [False, True], [False, False]])
    np.testing.assert_array_equal(out.data[[0, 2]], -6.0)


@given(
    shift=st.floats(-1.0, 1.0),
    noise=st.lists(st.floats(-0.003, 0.003), min_size=21, max_size=21),
    order=st.permutations(range(7)),
)
def test_the_midline_of_a_flat_drawing_is_found_wherever_its_origin_is(
    shift: float, noise: list[float], order: list[int]
) -> None:
    places = np.array([channel.position for channel in BOTH.channels]) + np.reshape(noise, (7, 3))
    places[:, 2] = 0.0
    moved = _spec([(float(x) + shift, float(y), float(z)) for x, y, z in places[order]])
    found = {
        frozenset((order[left], order[right])): places[order[left], 0] < places[order[right], 0]
        for left, right in homologous_pairs(moved, 0.015)
    }
    assert found == {frozenset((i, i + 3)): True for i in range(3)}


def test_in_head_coordinates_the_midline_is_at_0_and_one_hemisphere_has_none() -> None:
    heights = (0.03, 0.02, 0.03)
    one_side = [
        (x, y, z) for x in (-0.06, -0.04, -0.02) for y, z in zip((0.0, 0.02, 0.04), heights, strict=True)
    ]
    assert mirrored(_spec(one_side)) == ()
    with pytest.raises(SignalError, match="leave the stage out for a probe of one side"):
        homologous_pairs(_spec(one_side), 0.015)
    assert mirrored(BOTH) == ((0, 3), (1, 4), (2, 5))
    assert homologous_pairs(BOTH, 0.015) == [(0, 3), (1, 4), (2, 5)]


def test_only_what_measures_the_same_is_homologous() -> None:
    left, right = _spec([LEFT[0], (0.05, 0.01, 0.03)]).channels
    mixed = SignalSpec((left, replace(right, kind=Kind.HBR)), 8.0)
    with pytest.raises(SignalError, match=r"1 hbo \(mol/L\), 1 hbr \(mol/L\) there is none within 15 mm"):
        Homologues(mixed)


def test_the_middle_of_the_optodes_stands_for_a_position() -> None:
    spec = SignalSpec(
        tuple(
            Channel(
                name=name,
                kind=Kind.HBR,
                unit="mol/L",
                source_position=(side * 0.04, 0.0, 0.0),
                detector_position=(side * 0.04, 0.03, 0.0),
            )
            for name, side in (("right", 1), ("left", -1))
        ),
        8.0,
    )
    assert Homologues(spec).spec_out.names == ("left - right",)


def test_a_probe_of_one_side_and_one_without_positions_are_refused_with_advice() -> None:
    with pytest.raises(SignalError, match="leave the stage out for a probe of one side"):
        Homologues(_spec(LEFT))
    with pytest.raises(SignalError, match=r"every channel's position: 2 of 4 have none \(ch1, ch3\)"):
        Homologues(_spec([LEFT[0], None, LEFT[1], None]))


def test_the_quality_of_both_channels_is_that_of_the_difference() -> None:
    out = Homologues(BOTH, keep=True).spec_out
    rows = made_of(BOTH, out)
    assert [set(rows[:, i].tolist()) for i in range(len(out))] == [
        *({i} for i in range(7)),
        {0, 3},
        {1, 4},
        {2, 5},
    ]
    assert SignalSpec.from_json(out.to_json()) == out


def test_mirrored_channels_are_those_across_the_middle_of_one_chromophore() -> None:
    def channel(name: str, kind: Kind, x: float | None, y: float = 0.0) -> Channel:
        return Channel(name=name, kind=kind, unit="mol/L", position=None if x is None else (x, y, 0.05 + y))

    spec = SignalSpec(
        (
            channel("left", Kind.HBO, -0.04),
            channel("left hbr", Kind.HBR, -0.04),
            channel("right", Kind.HBO, 0.042),
            channel("right, further", Kind.HBO, 0.05),
            channel("middle", Kind.HBO, 0.001),
            channel("nowhere", Kind.HBO, None),
            channel("right, elsewhere", Kind.HBR, 0.04, y=0.03),
        ),
        10.0,
    )
    assert mirrored(spec) == ((0, 2),)
