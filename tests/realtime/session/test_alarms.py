"""Technical alarms: latched, declared delays, none from a decision."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.messages.alarms import Alarm, AlarmKind, Priority
from realtime.quality.policy import Reason, WindowMeasurement
from realtime.session.alarm_causes import LATE, LOSS_S, AlarmCauses
from realtime.session.alarms import BEHAVIOURS, AlarmBoard
from realtime.status import BrokerStatus, JournalStatus, State, Status
from realtime.windows import Window

LOST = AlarmKind.STREAM_LOST
ON_S, OFF_S = BEHAVIOURS[LOST].on_s, BEHAVIOURS[LOST].off_s


def utc(local: float) -> str:
    return f"{local:09.3f}"


def board(**options: object) -> AlarmBoard:
    return AlarmBoard(run=3, utc=utc, **options)  # type: ignore[arg-type]


def test_an_alarm_begins_after_its_delay_and_lasts_until_acknowledged() -> None:
    alarms = board()
    assert alarms.look(10.0, {LOST: "gone"}) == []
    assert alarms.look(10.0 + ON_S - 0.01, {LOST: "gone"}) == []
    (began,) = alarms.look(10.0 + ON_S, {LOST: "gone"})
    assert (began.id, began.priority, began.text) == ("3-1", Priority.HIGH, "gone")
    assert (began.since_utc, began.until_utc) == (utc(10.0), None)
    assert alarms.look(20.0, {}) == []
    (over,) = alarms.look(20.0 + OFF_S, {})
    assert over.until_utc == utc(20.0)
    assert alarms.alarms == (over,)
    seen, why = alarms.acknowledge("3-1", "nurse-1", 30.0)
    assert seen is not None
    assert (seen.acknowledged_by, seen.acknowledged_utc, why) == ("nurse-1", utc(30.0), "")
    assert alarms.alarms == ()


def test_one_that_was_acknowledged_stays_listed_as_long_as_its_cause_lasts() -> None:
    alarms = board()
    for local in (0.0, ON_S):
        alarms.look(local, {LOST: "gone"})
    alarms.acknowledge("3-1", "nurse-1", 4.0)
    assert [alarm.acknowledged_by for alarm in alarms.alarms] == ["nurse-1"]
    assert alarms.acknowledge("3-1", "nurse-2", 5.0) == (None, "nurse-1 has acknowledged it already")
    alarms.look(6.0, {})
    assert len(alarms.look(6.0 + OFF_S, {})) == 1
    assert alarms.alarms == ()
    assert "there are: none" in alarms.acknowledge("3-1", "nurse-1", 20.0)[1]
    for local in (30.0, 30.0 + ON_S):
        alarms.look(local, {LOST: "gone"})
    assert [alarm.id for alarm in alarms.alarms] == ["3-2"]


def test_a_cause_that_comes_again_is_the_same_alarm_until_it_is_acknowledged() -> None:
    alarms = board()
    for begin in (0.0, 50.0):
        alarms.look(begin, {LOST: "gone"})
        alarms.look(begin + ON_S, {LOST: "gone"})
        alarms.look(begin + 20.0, {})
        alarms.look(begin + 20.0 + OFF_S, {})
    (alarm,) = alarms.alarms
    assert (alarm.id, alarm.count, alarm.since_utc, alarm.until_utc) == ("3-1", 2, utc(0.0), utc(70.0))


def test_what_nobody_acknowledged_stands_in_the_next_run() -> None:
    def left(number: int, kind: AlarmKind, **more: str) -> Alarm:
        return Alarm(id=f"2-{number}", kind=kind, priority=Priority.LOW, text="x", since_utc=utc(0.0), **more)

    alarms = board(
        earlier=[left(1, LOST), left(2, AlarmKind.BROKER_TROUBLE, acknowledged_by="nurse-1")], local=100.0
    )
    (alarm,) = alarms.alarms
    assert (alarm.id, alarm.until_utc) == ("2-1", utc(100.0))
    assert alarms.look(101.0, {}) == []
    assert alarms.acknowledge("2-1", "nurse-1", 102.0)[1] == ""
    assert alarms.alarms == ()


def test_what_nobody_acknowledged_comes_first_then_what_is_urgent() -> None:
    alarms = board()
    present = {LOST: "", AlarmKind.BROKER_TROUBLE: "", AlarmKind.JOURNAL_TROUBLE: ""}
    for local in (0.0, 60.0):
        alarms.look(local, present)
    urgent = next(alarm for alarm in alarms.alarms if alarm.kind is LOST)
    assert alarms.alarms[0] is urgent
    alarms.acknowledge(urgent.id, "nurse-1", 61.0)
    assert [alarm.kind for alarm in alarms.alarms] == [
        AlarmKind.JOURNAL_TROUBLE,
        AlarmKind.BROKER_TROUBLE,
        LOST,
    ]


def test_the_end_of_a_session_ends_causes_and_hides_nothing() -> None:
    alarms = board()
    for local in (0.0, ON_S):
        alarms.look(local, {LOST: "gone"})
    assert [alarm.until_utc for alarm in alarms.end(9.0)] == [utc(9.0)]
    assert len(alarms.alarms) == 1


step = st.tuples(
    st.sampled_from([0.1, 0.25, 1.0, 7.0, 40.0]),
    st.dictionaries(st.sampled_from(AlarmKind), st.sampled_from(["a", "b"]), max_size=3),
    st.booleans(),
)


@given(st.lists(step, max_size=60))
def test_no_alarm_vanishes_unacknowledged_and_none_flaps(
    steps: list[tuple[float, dict[AlarmKind, str], bool]],
) -> None:
    alarms, local = board(), 0.0
    there: dict[AlarmKind, float] = {}
    gone: dict[AlarmKind, float] = {}
    acknowledged: set[str] = set()
    ids: set[str] = set()
    for seconds, present, acknowledge in steps:
        local += seconds
        for kind in AlarmKind:
            if kind in present:
                there.setdefault(kind, local)
                gone.pop(kind, None)
            else:
                gone.setdefault(kind, local)
                there.pop(kind, None)
        before = {alarm.id: alarm for alarm in alarms.alarms}
        changed = {alarm.id: alarm for alarm in alarms.look(local, present)}
        after = {alarm.id: alarm for alarm in alarms.alarms}
        for number, alarm in before.items():
            if number not in after:
                assert number in acknowledged
                assert local - gone[alarm.kind] >= BEHAVIOURS[alarm.kind].off_s
        for number, alarm in after.items():
            was = before.get(number)
            if alarm.active and (was is None or not was.active):  # began, or began again
                assert local - there[alarm.kind] >= BEHAVIOURS[alarm.kind].on_s
                assert number in changed
            if was is not None and was.active and not alarm.active:
                assert local - gone[alarm.kind] >= BEHAVIOURS[alarm.kind].off_s
                assert number in changed
        for number in after.keys() - before.keys():
            assert number not in ids  # an id is never given twice
            ids.add(number)
        assert len({alarm.kind for alarm in after.values()}) == len(after)
        if acknowledge and after:
            number = next(iter(after))
            seen, _ = alarms.acknowledge(number, "nurse-1", local)
            if seen is not None:
                acknowledged.add(number)
            left = {alarm.id for alarm in alarms.alarms}
            assert left == after.keys() - ({number} if not after[number].active else set())


# ------------------------------------------------------------------ causes


def status(state: State = State.LIVE, **more: object) -> Status:
    return Status(session="bed-1", run=1, state=state, reason="why", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "more", "error", "expected"),
    [
        (State.LIVE, {}, "", {}),
        (State.WAITING, {}, "", {}),
        (State.LOST, {}, "", {AlarmKind.STREAM_LOST: "why"}),
        (State.STALLED, {}, "", {AlarmKind.STREAM_STALLED: "why"}),
        (State.LIVE, {}, "inference failed: x", {AlarmKind.INFERENCE_FAILING: "inference failed: x"}),
        (
            State.LIVE,
            {"journal": JournalStatus(depth=3, failing=True)},
            "",
            {AlarmKind.JOURNAL_TROUBLE: "it cannot be written; 3 entries wait"},
        ),
        (State.LIVE, {"broker": BrokerStatus()}, "", {AlarmKind.BROKER_TROUBLE: "it is not connected"}),
        (State.LIVE, {"broker": BrokerStatus(connected=True, waiting=9)}, "", {}),
        (
            State.LIVE,
            {"failing": {"markers": "x", "journal": "y"}},
            "",
            {AlarmKind.SESSION_FAULT: "markers: x"},
        ),
    ],
)
def test_causes_follow_from_the_status(
    state: State, more: dict[str, object], error: str, expected: Mapping[AlarmKind, str]
) -> None:
    assert AlarmCauses().now(1.0, status(state, **more), error) == expected


def test_a_loss_is_a_cause_for_a_while() -> None:
    causes = AlarmCauses()
    lossy = status(journal=JournalStatus(dropped=2))
    assert AlarmKind.JOURNAL_TROUBLE in causes.now(0.0, lossy, "")
    assert AlarmKind.JOURNAL_TROUBLE in causes.now(LOSS_S - 0.1, lossy, "")
    assert AlarmKind.JOURNAL_TROUBLE not in causes.now(LOSS_S, lossy, "")


def unusable(*reasons: Reason) -> Window:
    return Window(0, 1, 0.0, 7.0, None, WindowMeasurement(1.0, 1.0, 0.0), reasons)


def test_a_signal_is_unfit_from_the_first_unusable_window_to_the_first_usable_one() -> None:
    causes = AlarmCauses()
    causes.windows([unusable(Reason.WARMING_UP)])
    assert causes.now(0.0, status(), "") == {}
    causes.windows([unusable(Reason.FLAT, Reason.GAP)])
    causes.windows([unusable(Reason.WARMING_UP)])
    assert causes.now(0.0, status(), "") == {AlarmKind.SIGNAL_UNFIT: "no window can be used: flat, gap"}
    assert causes.now(0.0, status(State.LOST), "").keys() == {AlarmKind.STREAM_LOST}
    causes.windows([unusable()])
    assert causes.now(0.0, status(), "") == {}


@given(st.lists(st.sampled_from([reason for reason in Reason if reason not in LATE])))
def test_no_decision_is_an_alarm_but_one_that_comes_too_late(reasons: list[Reason]) -> None:
    causes = AlarmCauses()
    causes.decided(reasons)
    assert causes.now(0.0, status(), "") == {}
    causes.decided([*reasons, Reason.STALE])
    assert causes.now(0.0, status(), "") == {AlarmKind.MODEL_STALE: "no decision is current: stale"}
    causes.decided(reasons)
    assert causes.now(0.0, status(), "") == {}
