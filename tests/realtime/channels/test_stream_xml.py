"""A stream's XML as liblsl makes it of any name: read, printable, or refused by name."""

import pylsl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import StreamError
from realtime.channels.stream_xml import MOST_XML, read_stream_xml
from realtime.sources.lsl.stream_info import is_companion, layout_from_info, origin_from_info

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)


@given(TEXT, TEXT, TEXT)
def test_any_name_can_be_looked_at(name: str, source_id: str, label: str) -> None:
    """Anybody's stream on the network: its name may hold what XML does not allow."""
    info = pylsl.StreamInfo(name, "NIRS", 1, 10.0, "float32", source_id)
    info.desc().append_child("channels").append_child("channel").append_child_value("label", label)
    assert is_companion(info) in (True, False)
    tree = read_stream_xml(info.as_xml())
    for tag in ("name", "source_id", "desc/channels/channel/label"):
        assert all(character.isprintable() or ord(character) > 0x9F for character in tree.findtext(tag, ""))
    assert origin_from_info(info).speed == 1.0
    with pytest.raises(StreamError):
        layout_from_info(info)


def test_a_control_character_is_shown_as_its_escape() -> None:
    info = pylsl.StreamInfo("bed\x01\x1b[31m", "NIRS", 1, 10.0, "float32", "id")
    assert read_stream_xml(info.as_xml()).findtext("name") == "bed\\x01\\x1b[31m"


@pytest.mark.parametrize(
    "text", ["", "<info>", "<a></b>", "no XML", "<a>&nothing;</a>", "x" * (MOST_XML + 1)]
)
def test_what_is_no_xml_is_refused_by_name(text: str) -> None:
    with pytest.raises(StreamError, match=r"in the program that sends|Shorten"):
        read_stream_xml(text)


@pytest.mark.parametrize("rate", [1e308, 1e-300, 1e7])
def test_a_rate_that_no_device_has_is_none(rate: float) -> None:
    """Gaps are counted in the declared rate's periods: with 1e-300 Hz no silence was ever one."""
    from realtime.devices.recognition import rate_of

    assert rate_of(read_stream_xml(pylsl.StreamInfo("a", "NIRS", 1, rate, "float32", "id").as_xml())) == 0.0


@pytest.mark.parametrize(("field", "value"), [("speed", "1e308"), ("speed", "1e-300"), ("anchor", "1e300")])
def test_an_origin_whose_clock_cannot_be_computed_is_refused(field: str, value: str) -> None:
    info = pylsl.StreamInfo("a", "NIRS", 1, 10.0, "float32", "id")
    ours = info.desc().append_child("hemostream")
    ours.append_child_value("origin", "replayed")
    ours.append_child_value(field, value)
    with pytest.raises(StreamError, match="says of its origin"):
        origin_from_info(info)
