"""The device that misbehaves does what it was asked to, and tells the truth about it."""

import numpy as np
import pytest

from models.errors import StreamError
from tools.faults.faults import KINDS, Fault
from tools.faults.schedule import LIMIT_V, Values, sends


def indices(*faults: str, n: int = 100) -> list[int]:
    return [send.index for send in sends(n, 10.0, [Fault.parse(text) for text in faults])]


def test_without_faults_every_sample_is_sent_when_it_is_due() -> None:
    sent = list(sends(100, 10.0, []))
    assert [send.index for send in sent] == list(range(100))
    assert all(send.due == send.second == send.index / 10 and send.shift == 0.0 for send in sent)


def test_each_fault_does_to_its_time_what_it_says() -> None:
    assert indices("gap:at=2,seconds=3") == [*range(20), *range(50, 100)]
    frozen = list(sends(100, 10.0, [Fault.parse("freeze:at=2,seconds=3")]))
    assert [send.index for send in frozen] == list(range(100))
    assert all(send.due == 5.0 for send in frozen[20:50])
    assert all(send.second == send.index / 10 for send in frozen)
    assert indices("duplicates:at=2,seconds=0.4") == [*range(21), 21, 21, 22, 23, 23, *range(24, 100)]
    assert indices("disorder:at=2,seconds=0.4") == [*range(20), 21, 20, 23, 22, *range(24, 100)]
    assert sorted(indices("disorder", n=99)) == list(range(99))
    jittered = [send.shift for send in sends(100, 10.0, [Fault.parse("jitter:by=0.1")])]
    assert 0.05 < max(map(abs, jittered)) <= 0.1
    set_off = [send.shift for send in sends(100, 10.0, [Fault.parse("clock:at=5,by=-30")])]
    assert set_off == [0.0] * 50 + [-30.0] * 50


@pytest.mark.parametrize(("kind", "value"), [("nan", np.nan), ("inf", np.inf), ("saturation", LIMIT_V)])
def test_values_are_spoilt_in_the_share_of_channels(kind: str, value: float) -> None:
    fault = Fault.parse(f"{kind}:at=2,seconds=1,share=0.25")
    values = Values(8, 10.0)
    data = np.array([values.take(send) for send in sends(50, 10.0, [fault])])
    np.testing.assert_array_equal(data[20:30, :2], value)
    assert ((data[20:30, 2:] > 0.8) & (data[20:30, 2:] < 1.25)).all()
    assert np.isfinite(np.delete(data, slice(20, 30), axis=0)).all()


def test_a_flat_channel_stays_at_its_last_value() -> None:
    values = Values(4, 10.0)
    data = np.array(
        [values.take(send) for send in sends(50, 10.0, [Fault.parse("flat:at=2,seconds=1,share=0.5")])]
    )
    np.testing.assert_array_equal(data[20:30, :2], np.tile(data[19, :2], (10, 1)))
    assert (np.diff(data[18:32, 2:], axis=0) != 0).all()


@pytest.mark.parametrize("text", ["gop:at=1", "gap:at", "gap:at=x", "gap:for=3"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(StreamError):
        Fault.parse(text)


def test_every_kind_can_be_written() -> None:
    assert {Fault.parse(f"{kind}:at=1,seconds=2").end for kind in KINDS} == {3.0}
