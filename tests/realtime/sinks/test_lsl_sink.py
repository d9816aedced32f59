"""Decisions as an LSL stream, received through real LSL."""

import uuid
from collections.abc import Callable
from typing import Any

import pylsl

from realtime.sinks.lsl import NAME, TYPE, LslSink


def test_decisions_arrive_word_for_word_and_stamped_with_their_windows_end(
    make_decision: Callable[..., Any], until: Callable[..., None]
) -> None:
    session = f"bed-{uuid.uuid4().hex}"
    decisions = [make_decision(index, session=session) for index in range(20)]
    sink = LslSink(session=session, run=3, model="ab" * 32, labels=("rest", "task"))
    (found,) = pylsl.resolve_byprop("source_id", f"{NAME}-{session}-3", timeout=10)
    inlet = pylsl.StreamInlet(found, processing_flags=pylsl.proc_none)
    inlet.open_stream(timeout=10)
    info = inlet.info(timeout=10)
    assert (info.name(), info.type(), info.nominal_srate()) == (NAME, TYPE, pylsl.IRREGULAR_RATE)
    assert info.channel_format() == pylsl.cf_string
    assert info.desc().child_value("session") == session
    assert info.desc().child_value("model") == "ab" * 32
    labels = info.desc().child("labels").child("label")
    assert [labels.child_value(), labels.next_sibling().child_value()] == ["rest", "task"]
    until(lambda: sink.has_consumers, "the inlet")

    for decision in decisions:
        sink.publish(decision.to_json(), decision.window_end)
    received = [inlet.pull_sample(timeout=10) for _ in decisions]
    assert [sample[0] for sample, _ in received if sample] == [one.to_json() for one in decisions]
    assert [stamp for _, stamp in received] == [one.window_end for one in decisions]
    inlet.close_stream()
    sink.close()
    sink.publish("{}", 0.0)  # After the end: nothing happens.
