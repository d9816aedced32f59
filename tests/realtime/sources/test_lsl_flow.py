"""A stream that is much too fast is found out by what comes; one that catches up is not."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sources.lsl.flow import HELD_S, Flow
from realtime.sources.stream_checks import MOST_HZ


def info(rate: float) -> ET.Element:
    root = ET.Element("info")
    for tag, text in {"name": "Cap", "type": "NIRS", "nominal_srate": f"{rate}"}.items():
        ET.SubElement(root, tag).text = text
    return root


@pytest.mark.parametrize("declared", [0.0, 10.0, 50.0])
@pytest.mark.parametrize("chunk", [1, 64])
def test_20_khz_is_noticed_whatever_is_declared(declared: float, chunk: int) -> None:
    flow, now, why = Flow(info(declared), 1.0), 0.0, ""
    while not why and now < 10.0:
        now += chunk / 20_000
        why = flow.take(now, chunk)
    assert why
    assert "sends about 20,000 samples a second" in why
    assert (f"declares {declared:g} Hz" if declared else "declares no rate") in why


@given(
    st.floats(1.0, MOST_HZ),
    st.floats(1.0, 8.0),
    st.lists(st.tuples(st.floats(0.0, 300.0), st.integers(1, 64)), min_size=1, max_size=50),
)
def test_what_waited_comes_at_once_and_is_no_rate(
    rate: float, speed: float, pauses: list[tuple[float, int]]
) -> None:
    """Frozen, then everything: as much as liblsl holds, any number of times."""
    flow, now, sent = Flow(info(rate), speed), 0.0, 0
    for pause, chunk in pauses:
        pause = min(pause, HELD_S / 2 / speed)
        now += pause
        due = int(now * rate * speed)
        while sent < due:
            take = min(max(chunk, (due - sent) // 20), due - sent)
            assert not flow.take(now, take)
            sent += take
