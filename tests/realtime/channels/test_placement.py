"""Who an optode is, and that channels of one name can lie in one place."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.channels.match import find_channels, match_channels
from realtime.channels.optodes import optode_of
from realtime.channels.placement import SAME_SPACE_M, TOLERANCE_M, check_positions
from realtime.signal import Channel, Kind, SignalSpec

SOURCES = {f"S{k}": (0.04 * k, 0.01 * (k % 2), 0.0) for k in range(1, 6)}
DETECTORS = {f"D{k}": (0.04 * k + 0.02, 0.02, 0.005 * k) for k in range(1, 5)}


def spec_of(names, *, named=True, places=SOURCES, detectors=DETECTORS, rows=None):
    """Channels of sources with the detectors next to them; numbers are rows where no optode has a name."""
    channels = []
    for row, source in enumerate(names, start=1):
        near = (f"D{int(source[1:])}", f"D{int(source[1:]) - 1}")
        for detector in detectors if len(detectors) == 1 else near:
            if detector not in detectors:
                continue
            at, to = places[source], detectors[detector]
            for nm in (760.0, 850.0):
                number = rows[source] if rows else row
                channels.append(
                    Channel(
                        name=f"S{number}_{detector} {nm:g}",
                        kind=Kind.INTENSITY,
                        unit="V",
                        source=number,
                        detector=int(detector[1:]),
                        source_name=source if named else None,
                        detector_name=detector if named else None,
                        wavelength=nm,
                        distance=math.dist(at, to),
                        source_position=at,
                        detector_position=to,
                    )
                )
    return SignalSpec(tuple(channels), 10.0)


subsets = st.lists(st.sampled_from(sorted(SOURCES)), min_size=1, unique=True)
"""Of sources, in any order: what a file's rows are."""


@given(subsets, subsets, st.randoms())
def test_any_two_montages_meet_where_their_labels_do(one, other, random):
    needed, found = spec_of(one), spec_of(other)
    order = list(range(len(found)))
    random.shuffle(order)
    found = found.pick(order)
    for channel, i in zip(needed.channels, find_channels(needed, found), strict=True):
        if channel.source_name not in other:
            assert i is None
            continue
        assert found.channels[i].source_name == channel.source_name
        assert found.channels[i].source_position == channel.source_position
        assert found.channels[i].wavelength == channel.wavelength


@given(subsets, subsets)
def test_rows_that_count_other_optodes_are_refused_by_their_places(one, other):
    """Neither file names its optodes: numbers are rows, and only places can tell."""
    centre = {"D1": (0.1, 0.02, 0.0)}
    needed = spec_of(one[: len(other)], named=False, detectors=centre)
    found = spec_of(other, named=False, detectors=centre)
    indices = find_channels(needed, found)
    assert None not in indices
    try:
        match_channels(needed, found)
    except SignalError:
        return
    there = found.pick(indices)
    apart = [
        math.dist(a.source_position, b.source_position)
        for a, b in zip(needed.channels, there.channels, strict=True)
    ]
    # What passes lies together, or in a space of its own, as far as can be known.
    near = sum(away <= SAME_SPACE_M for away in apart)
    assert max(apart) <= TOLERANCE_M or near < 2 or near < len(apart)


@pytest.mark.parametrize(
    "names",
    [
        ("S3", "s3", " S03 ", "Tx3", "3", "Source 3", "src_3", "S-3", "Ｓ３"),
        ("D12", "d12", "Rx12", "detector 12", "12"),
        ("Rx4b", "rx4B", "D4b"),
        ("S7_CCP3h", "s7 ccp3h", "S07-CCP3H"),
        ("AF7", "af7", " AF7 "),
    ],
)
def test_one_optode_written_in_many_ways(names):
    assert len({optode_of(name, None) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("S3", "S4"), ("Rx4a", "Rx4b"), ("T7", "S7"), ("AF7", "AF8"), ("S7_FCC3h", "S7_C3"), ("S3", "S33")],
)
def test_different_optodes(one, other):
    assert not optode_of(one, None).agrees(optode_of(other, None))


def test_a_name_may_say_less():
    assert optode_of("S7_CCP3h", None).agrees(optode_of("S7", None))
    assert optode_of(None, 7).agrees(optode_of("Tx7", None))
    assert optode_of(None, None) is None


def test_a_model_of_before_names_were_kept_still_finds_its_optodes():
    """Its S3 had number 2 and a name; S1 had the name left out, as it held no more than its number."""
    whole = spec_of(["S1", "S3"])
    old = SignalSpec(
        tuple(
            replace(
                c,
                source_name=None if c.source_name == f"S{c.source}" else c.source_name,
                detector_name=None,
            )
            for c in whole.channels
        ),
        10.0,
    )
    live = spec_of(["S1", "S2", "S3"], rows={"S1": 1, "S2": 2, "S3": 3})
    assert [live.channels[i].source_name for i in match_channels(old, live)] == [
        c.source_name for c in whole.channels
    ]


def moved(spec, **places):
    """The same channels with some sources elsewhere."""
    channels = []
    for c in spec.channels:
        at = places.get(c.source_name, c.source_position)
        channels.append(replace(c, source_position=at, distance=math.dist(at, c.detector_position)))
    return SignalSpec(tuple(channels), spec.rate)


WHOLE = spec_of(sorted(SOURCES), rows={name: int(name[1:]) for name in SOURCES})


def test_an_optode_in_another_place_is_refused_by_name():
    with pytest.raises(SignalError, match=r"S2 is 50 mm away"):
        check_positions(WHOLE, moved(WHOLE, S2=(0.08, 0.04, 0.03)))
    check_positions(WHOLE, moved(WHOLE, S2=(0.08, 0.015, 0.0)))


def test_distances_are_compared_in_whatever_frame():
    bare = SignalSpec(
        tuple(replace(c, source_position=None, detector_position=None) for c in WHOLE.channels), 10.0
    )
    check_positions(WHOLE, bare)
    far = SignalSpec(
        (replace(bare.channels[0], distance=bare.channels[0].distance + 0.025), *bare.channels[1:]), 10.0
    )
    with pytest.raises(SignalError, match=r"S1 and D1 are 48 mm apart, not 23 mm"):
        check_positions(WHOLE, far)


@given(
    st.integers(0, 2**32),
    st.tuples(*[st.floats(-0.2, 0.2)] * 3),
    st.floats(0.85, 1.15),
    st.sampled_from([(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)]),
    st.permutations(range(3)),
)
def test_another_frame_explains_all(seed, shift, scale, signs, axes):
    """Any rotation, exchange of axes, origin and size of head: distances agree, places cannot be compared."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))

    def there(place):
        x, y, z = scale * (np.array(place)[list(axes)] * signs) @ turn + shift
        return float(x), float(y), float(z)

    channels = tuple(
        replace(
            c,
            source_position=there(c.source_position),
            detector_position=there(c.detector_position),
            distance=math.dist(there(c.source_position), there(c.detector_position)),
        )
        for c in WHOLE.channels
    )
    check_positions(WHOLE, SignalSpec(channels, 10.0))


@given(st.integers(0, 2**32))
def test_digitising_again_explains_millimetres(seed):
    rng = np.random.default_rng(seed)
    at = {n: tuple((np.array(p) + rng.normal(0, 0.003, 3)).tolist()) for n, p in SOURCES.items()}
    to = {n: tuple((np.array(p) + rng.normal(0, 0.003, 3)).tolist()) for n, p in DETECTORS.items()}
    rows = {name: int(name[1:]) for name in SOURCES}
    check_positions(WHOLE, spec_of(sorted(SOURCES), places=at, detectors=to, rows=rows))
