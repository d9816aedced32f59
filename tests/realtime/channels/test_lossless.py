"""What a format cannot hold comes back from its lossless extension, and from no other description's."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.channels.lossless import lossless_extension, restored
from realtime.signal import Channel, Kind, SignalSpec

FULL = Channel(
    name="a",
    kind=Kind.HBO,
    unit="mol/L",
    source=1,
    detector=2,
    source_name="left",
    distance=0.03,
    position=(0.1, 0.2, 0.3),
)
SPEC = SignalSpec((FULL, replace(FULL, name="b", kind=Kind.HBR, source=2)), 10.0)
BARE = [Channel(name=c.name, kind=c.kind, unit=c.unit, source=9) for c in SPEC.channels]


@given(
    st.lists(st.sampled_from(["source", "detector", "source_name", "distance", "position"])),
    st.sampled_from([0.0, 10.0]),
)
def test_what_standard_fields_lack_or_say_otherwise_comes_back(lost: list[str], rate: float) -> None:
    read: list[Channel | None] = [replace(c, **dict.fromkeys(lost)) for c in SPEC.channels]
    assert restored(lossless_extension(SPEC, read, rate), read, rate) == SPEC
    read[0] = None  # nothing at all
    assert restored(lossless_extension(SPEC, read, rate), read, rate) == SPEC


def test_only_what_differs_is_kept() -> None:
    kept = json.loads(lossless_extension(SPEC, SPEC.channels, 10.0))
    assert kept["channels"] == [{}, {}]
    assert "rate" not in kept
    other = json.loads(lossless_extension(SPEC, [replace(SPEC.channels[0], distance=None), *BARE[1:]], 5.0))
    assert other["channels"][0] == {"distance": 0.03}
    assert other["rate"] == 10.0


def test_files_of_earlier_versions_keep_theirs() -> None:
    spec = SignalSpec((Channel(name="a", kind=Kind.HBO, unit="mol/L", source=3, distance=0.03),), 10.0)
    read = [Channel(name="a", kind=Kind.HBO, unit="mol/L", source=3)]
    kept = '{"of":"5c71a5eeb9c14475","channels":[{"distance":0.03}],"rate":10.0}'
    assert lossless_extension(spec, read, 0.0) == kept
    assert restored(kept, read, 0.0) == spec


def test_the_rate_is_the_standard_one_where_they_agreed() -> None:
    """A resampled copy of the file keeps its own rate."""
    spec = restored(lossless_extension(SPEC, BARE, 10.0), BARE, 25.0)
    assert spec is not None
    assert spec.rate == 25.0


@pytest.mark.parametrize(
    "changed",
    [BARE[:1], BARE[::-1], [*BARE, BARE[0]], [replace(BARE[0], name="c"), BARE[1]], [None, BARE[1]]],
)
def test_it_belongs_to_one_description_alone(changed: list[Channel | None]) -> None:
    assert restored(lossless_extension(SPEC, BARE, 0.0), changed, 0.0) is None


def test_other_standard_values_do_not_count_where_the_extension_has_them() -> None:
    moved = [replace(channel, source=5) for channel in BARE]
    assert restored(lossless_extension(SPEC, BARE, 0.0), moved, 0.0) == SPEC


@pytest.mark.parametrize(
    "damage",
    [
        {"channels": [{}]},
        {"channels": {"a": {}, "b": {}}},
        {"channels": [{"kind": "unheard of"}, {}]},
        {"channels": [{"colour": 3}, {}]},
        {"channels": ["a", "b"]},
        {"rate": "fast"},
        {"rate": -1.0},
        {"of": "another"},
    ],
)
def test_a_damaged_one_restores_nothing(damage: dict[str, object]) -> None:
    kept = json.loads(lossless_extension(SPEC, BARE, 0.0))
    assert restored(json.dumps(kept), BARE, 0.0) == SPEC
    assert restored(json.dumps({**kept, **damage}), BARE, 0.0) is None


@pytest.mark.parametrize("text", ["", "no json", "[]", "3", "[" * 100_000])
def test_what_is_no_extension_restores_nothing(text: str) -> None:
    assert restored(text, BARE, 0.0) is None
