"""What sessions publish is what the page reads, and what Prometheus is told of it."""

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime.decision import Decision
from realtime.messages.alarms import Alarms
from realtime.messages.alive import Alive
from realtime.messages.channels import ChannelList
from realtime.messages.signals import Signals
from realtime.monitor.beds import Beds
from realtime.monitor.prometheus import metrics_of
from realtime.monitor.seen import SeenAlarms, SeenBeat, SeenChannels, SeenSignals, read
from realtime.status import Status
from tools.bench.ward_scene import Actor, alarm

NOW = time.time()


@pytest.fixture
def actor() -> Actor:
    return Actor("bed-7", start=NOW - 60)


def test_the_made_up_ward_publishes_what_sessions_publish(actor: Actor) -> None:
    Alive.from_json(actor.alive(NOW))
    Status.from_json(actor.status(NOW))
    ChannelList.from_json(actor.channels())
    Signals.from_json(actor.signals(NOW))
    Alarms.from_json(actor.alarms(alarm("a1", "stream stalled", "high", "no sample comes", NOW)))
    Decision.from_json(actor.decision(60, NOW))


def test_the_page_reads_what_is_published(actor: Actor) -> None:
    read(SeenBeat, "bed-7", Alive.from_json(actor.alive(NOW)).to_json().encode())
    read(SeenChannels, "bed-7", ChannelList.from_json(actor.channels()).to_json().encode())
    read(SeenSignals, "bed-7", Signals.from_json(actor.signals(NOW)).to_json().encode())
    listed = Alarms.from_json(
        actor.alarms(alarm("a1", "stream stalled", "high", "no sample comes", NOW))
    ).to_json()
    assert len(read(SeenAlarms, "bed-7", listed.encode()).alarms) == 1


def test_prometheus_is_told_of_the_beds_that_the_page_knows(actor: Actor) -> None:
    now = [1000.0]
    beds = Beds(lambda: now[0])
    beds.broker(True)
    for what, text in (
        ("status", actor.status(NOW)),
        ("alive", actor.alive(NOW)),
        ("decision", actor.decision(60, NOW)),
    ):
        beds.take(actor.topic(what), text.encode())
    beds.take("hemostream/odd/status", b'{"session": "odd", "run": 1, "state": "live", "more": 1}')
    now[0] += 3.0
    found = {
        (sample.name, sample.labels.get("session")): sample.value
        for family in text_string_to_metric_families(metrics_of(beds))
        for sample in family.samples
    }
    assert found["hemostream_alive_age_seconds", "bed-7"] == pytest.approx(3.0)
    decision = Decision.from_json(actor.decision(60, NOW))
    age = found["hemostream_decision_age_seconds", "bed-7"]
    assert 3.0 <= age <= 3.0 + decision.age_s + 5.0
    assert found["hemostream_beds", None] == 2
    assert ("hemostream_run", "odd") not in found
