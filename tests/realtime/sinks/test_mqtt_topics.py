"""Names of sessions: what may stand in a topic, and what looks like a person."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BrokerError
from realtime.sinks.mqtt.topics import LONGEST, personal, topic


def test_topics_are_made_of_the_sessions_name() -> None:
    assert topic("bed-1", "decision") == "hemostream/bed-1/decision"
    assert topic("bed-1", "history") == "hemostream/bed-1/history"
    assert topic("lit 3, é", "status") == "hemostream/lit 3, é/status"


@pytest.mark.parametrize(
    "session",
    [
        "",
        "a/b",
        "+",
        "#",
        "$SYS",
        "bed\x00",
        "bed\n",
        "bed\u2028",
        "bed\ud800",
        "\u202ebed",
        "x" * (LONGEST + 1),
    ],
)
def test_a_session_that_would_be_another_topic_is_refused(session: str) -> None:
    with pytest.raises(BrokerError, match="Session name"):
        topic(session, "decision")


@given(st.text(max_size=LONGEST))
def test_whatever_is_not_refused_is_one_level_of_a_topic(session: str) -> None:
    try:
        found = topic(session, "decision")
    except BrokerError:
        return
    assert found.split("/") == ["hemostream", session, "decision"]
    assert found.encode("utf-8")


@pytest.mark.parametrize(
    ("session", "message"),
    [
        ("Jane Doe", "a person's name"),
        ("Doe, Jane", "a person's name"),
        ("ward 3 Jane_Doe", "a person's name"),
        ("Éva Örs", "a person's name"),
        ("jane@ward.org", "an address"),
        ("p-1971-03-05", "a date of birth"),
        ("p19710305", "a date of birth"),
        ("05.03.1971", "a date of birth"),
        ("Jane Doe 5/3/1971".replace("/", "."), "a person's name and a date of birth"),
    ],
)
def test_what_looks_like_a_person_is_warned_of_and_not_repeated(session: str, message: str) -> None:
    (warning,) = personal(session)
    assert f"looks as if it held {message}." in warning
    assert session not in warning
    assert "pseudonym such as bed-1" in warning


@pytest.mark.parametrize(
    "session",
    ["bed-1", "lit 3, é", "ward-B bed 12", "Bed", "P0012", "session-19-ab12", "x19991399", "id-123456789"],
)
def test_a_pseudonym_is_not(session: str) -> None:
    assert personal(session) == ()


def test_the_name_that_a_session_gets_by_itself_is_not() -> None:
    assert personal(f"session-{datetime.now(UTC):%Y%m%d-%H%M%S}-1f3c") == ()
