"""Total haemoglobin."""

import numpy as np
import pytest

from models.errors import SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.total_haemoglobin import TotalHaemoglobin


def _blood(kind: Kind, source: int | None, name: str | None = None) -> Channel:
    return Channel(name=name or f"S{source}_D1 {kind}", kind=kind, unit="mol/L", source=source, detector=1)


SPEC = SignalSpec(
    (_blood(Kind.HBR, 2), _blood(Kind.HBO, 1), _blood(Kind.HBO, 2), _blood(Kind.HBR, 1)),
    10.0,
)
DATA = np.array([[1e-6, 2e-6], [10e-6, 20e-6], [100e-6, 200e-6], [1000e-6, np.nan]])


@pytest.mark.parametrize("keep", [True, False])
def test_each_pair_is_added_wherever_its_channels_stand(keep: bool) -> None:
    out = TotalHaemoglobin(SPEC, keep=keep).process(Chunk(SPEC, DATA, np.arange(2.0), np.isnan(DATA)))
    kept = SPEC.names if keep else ()
    assert out.spec.names == (*kept, "S1_D1 hbt", "S2_D1 hbt")
    np.testing.assert_array_equal(out.missing[-2:], [[False, True], [False, False]])
    np.testing.assert_allclose(out.data[-2, 0], 1010e-6)
    np.testing.assert_allclose(out.data[-1], [101e-6, 202e-6])
    if keep:
        np.testing.assert_array_equal(out.data[:4], DATA)


def test_channels_without_optodes_pair_by_name() -> None:
    spec = SignalSpec((_blood(Kind.HBO, None, "ch25 oxy"), _blood(Kind.HBR, None, "ch25 deoxy")), 10.0)
    assert TotalHaemoglobin(spec, keep=False).spec_out.names == ("ch25 hbt",)


def test_a_pair_with_one_chromophore_is_named() -> None:
    with pytest.raises(SignalError, match="found only one of them for S1_D1"):
        TotalHaemoglobin(SPEC.pick([0, 1, 2]))
