"""The status that a session tells."""

import json

import pytest

from realtime.status import BrokerStatus, JournalStatus, State, Status


@pytest.mark.parametrize("state", State)
def test_a_status_comes_back_the_same(state: State) -> None:
    status = Status(
        session="bed-1",
        run=2,
        state=state,
        reason="no sample for 2.0 s",
        since_utc="2026-11-22T10:00:00.000000+00:00",
        stream="Aurora",
        origin="replayed",
        speed=20.0,
        model="ab" * 32,
        journal=JournalStatus(depth=3, dropped=1, failing=True),
        broker=BrokerStatus(connected=True, waiting=2, dropped=0),
        wall_clock_steps=2,
        versions={"hemostream": "0.1.0"},
    )
    text = status.to_json()
    assert Status.from_json(text) == status
    assert Status.from_json(text.encode()).state is state
    assert json.loads(text)["journal"] == {"depth": 3, "dropped": 1, "failing": True}


def test_what_is_not_there_is_null() -> None:
    status = Status(session="bed-1", run=1, state=State.WAITING)
    values = json.loads(status.to_json())
    assert (values["schema"], values["journal"], values["broker"]) == (1, None, None)
    assert Status.from_json(status.to_json()) == status


def test_the_last_will_says_offline() -> None:
    lost = Status.lost("bed-1", 4)
    assert (lost.session, lost.run, lost.state) == ("bed-1", 4, State.OFFLINE)
    assert "lost" in lost.reason
