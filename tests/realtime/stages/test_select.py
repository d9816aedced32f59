"""Channel selection."""

from typing import Any

import numpy as np
import pytest

from models.errors import SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.select import Select

SPEC = SignalSpec(
    (
        Channel(name="long 1", kind=Kind.INTENSITY, unit="V", distance=0.03),
        Channel(name="short", kind=Kind.INTENSITY, unit="V", distance=0.008),
        Channel(name="long 2", kind=Kind.INTENSITY, unit="V", distance=0.035),
        Channel(name="region", kind=Kind.BOLD, unit="a.u."),
    ),
    10.0,
)


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({"kinds": ["intensity"]}, ["long 1", "short", "long 2"]),
        ({"names": ["region", "long 1"]}, ["region", "long 1"]),
        ({"min_distance": 0.01}, ["long 1", "long 2"]),
        ({"max_distance": 0.03}, ["long 1", "short"]),
        ({"max_distance": 0.03, "names": ["long 2", "short"]}, ["short"]),
        ({"kinds": ["bold", "intensity"]}, ["long 1", "short", "long 2", "region"]),
    ],
)
def test_what_fits_every_criterion_is_left(criteria: dict[str, Any], left: list[str]) -> None:
    stage = Select(SPEC, **criteria)
    assert list(stage.spec_out.names) == left
    data = np.arange(8.0).reshape(4, 2)
    missing = data % 3 == 0
    out = stage.process(Chunk(SPEC, data, np.array([0.0, 0.1]), missing))
    rows = [SPEC.names.index(name) for name in left]
    np.testing.assert_array_equal(out.data, data[rows])
    np.testing.assert_array_equal(out.missing, missing[rows])


def test_every_absent_name_is_listed() -> None:
    with pytest.raises(SignalError, match=r"2 of 3 named channels.*'long 3', 'x'.*Did you mean 'long"):
        Select(SPEC, names=["long 3", "short", "x"])


def test_nothing_left_says_what_there_was() -> None:
    with pytest.raises(
        SignalError, match=r"3 intensity \(V\), 1 bold.*distances 0.008 to 0.035 m.*max_distance = 0.001"
    ):
        Select(SPEC, max_distance=0.001)
