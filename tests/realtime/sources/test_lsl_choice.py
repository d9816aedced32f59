"""Which live stream is taken: names that XPath cannot escape, twins, and what comes in a stream's place."""

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pylsl
import pytest
from pylsl.lib import lib

from models.errors import StreamError
from models.outside import decoded
from realtime.log import Entry, Origin, Received, StreamLost, StreamOpened
from realtime.sources.lsl import reading as lsl_reading
from realtime.sources.lsl.resolve import resolve
from realtime.sources.lsl.search import HAEMODYNAMIC, StreamChoice, find_stream, numbered
from realtime.sources.lsl.source import LslSource
from realtime.sources.lsl.stream_info import stream_info
from realtime.sources.stream_choice import predicate_of
from tests.realtime.support import intensity_spec

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60.0
SPEC = intensity_spec()


class Caps:
    """Outlets in this process that send until they are let go."""

    def __init__(self) -> None:
        self._sending: dict[pylsl.StreamOutlet, threading.Event] = {}

    def open(self, name: str | bytes, source_id: str | bytes) -> pylsl.StreamOutlet:
        info = stream_info(SPEC, name=as_text(name), source_id=as_text(source_id), origin=Origin())
        if isinstance(name, bytes) or isinstance(source_id, bytes):
            info = as_sent(info, name, source_id)
        outlet, done = pylsl.StreamOutlet(info), threading.Event()
        threading.Thread(target=self._send, args=(outlet, done), daemon=True).start()
        self._sending[outlet] = done
        return outlet

    @staticmethod
    def _send(outlet: pylsl.StreamOutlet, done: threading.Event) -> None:
        while not done.wait(0.05):
            outlet.push_sample([1.0] * len(SPEC))

    def hang(self, outlet: pylsl.StreamOutlet) -> None:
        """It is there, and sends nothing more."""
        self._sending[outlet].set()

    def end(self, outlet: pylsl.StreamOutlet) -> None:
        """It is gone, once the caller lets go of it as well."""
        self._sending.pop(outlet).set()

    def close(self) -> None:
        for done in self._sending.values():
            done.set()
        self._sending.clear()


@pytest.fixture
def caps() -> Iterator[Caps]:
    made = Caps()
    yield made
    made.close()


def as_text(sent: str | bytes) -> str:
    return sent if isinstance(sent, str) else decoded(sent)


def as_sent(described: pylsl.StreamInfo, *named: str | bytes) -> pylsl.StreamInfo:
    """The stream under a name and a source_id of any bytes, as programs in other languages send them."""
    name, source_id = (one.encode() if isinstance(one, str) else one for one in named)
    rows, rate, form = described.channel_count(), described.nominal_srate(), described.channel_format()
    handle = lib.lsl_create_streaminfo(name, b"NIRS", rows, ctypes.c_double(rate), form, source_id)
    info = pylsl.StreamInfo(handle=handle)
    info.desc().append_copy(described.desc().child("channels"))
    return info


class Listening:
    """A source and its log."""

    def __init__(self, choice: StreamChoice) -> None:
        self.log: list[Entry] = []
        self.errors: list[Exception] = []
        self.source = LslSource(choice, emit=self.log.append, failed=self.errors.append)

    def __enter__(self) -> "Listening":
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def wait(self, holds: Callable[[], object], why: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            assert not self.errors, self.errors
            assert time.monotonic() < deadline, f"waited in vain for {why}"
            time.sleep(0.01)

    def opened(self) -> list[str]:
        """source_ids, in order."""
        return [entry.source_id for entry in list(self.log) if isinstance(entry, StreamOpened)]

    def lost(self) -> list[str]:
        return [entry.reason for entry in list(self.log) if isinstance(entry, StreamLost)]

    def samples(self) -> int:
        """Since it was last opened."""
        count = 0
        for entry in list(self.log):
            if isinstance(entry, StreamOpened):
                count = 0
            if isinstance(entry, Received):
                count += len(entry.stamps)
        return count


def test_names_that_xpath_cannot_escape_are_found() -> None:
    names = ["Bob's cap", "a \"b\" 'c'", "A & B <x>", "Häube 帽", "NIRS (bed 2)", "a=b", "x" * 300]
    mark = uuid.uuid4().hex
    infos = [pylsl.StreamInfo(name, "NIRS", 1, 10.0, "float32", f"{name} {mark}") for name in names]
    outlets = [pylsl.StreamOutlet(info) for info in infos]
    for name in names:
        message = predicate_of(f"source_id={name} {mark}")
        assert message is not None
        assert [one.name() for one in resolve(message, timeout=DEADLINE_S)] == [name]
        message = predicate_of(name)
        assert message is not None
        assert name in {one.name() for one in resolve(message, timeout=DEADLINE_S)}
    assert len(outlets) == len(names)


def test_the_streams_of_another_lsl_session_are_not_taken(tmp_path: Path) -> None:
    """liblsl puts "session_id='x' and" before what we ask: an "or" without brackets asks everybody."""
    name = f"cap-{uuid.uuid4().hex}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "fMRI", 1, 10.0, "float32", name))
    config = Path(os.environ["LSLAPICFG"]).read_text()
    other = tmp_path / "lsl_api.cfg"
    other.write_text(config.replace("SessionID = ", "SessionID = other-"))
    code = (
        "import json\nfrom realtime.sources.lsl.resolve import resolve\n"
        "from realtime.sources.lsl.search import HAEMODYNAMIC\n"
        "print(json.dumps([one.name() for one in resolve(HAEMODYNAMIC, minimum=1000, timeout=2.0)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LSLAPICFG": str(other)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == []
    assert name in {one.name() for one in resolve(f"{HAEMODYNAMIC} and name='{name}'", timeout=DEADLINE_S)}
    del outlet


ODD = {
    "another encoding": (b"H\xe4ube", b"cap-1"),
    "a source_id in another encoding": (b"Cap", b"h\xe4ube"),
    "another encoding and no source_id": (b"H\xe4ube", b""),
    "a line end in the source_id": (b"Cap", b"cap\n1"),
    "a line end in the name and no source_id": (b"Ca\np", b""),
    "blanks around": (b"  Cap ", b" cap-1 "),
    "nothing that a question could hold": (b"\xe4\xf6\xfc", b"\xfc"),
}


@pytest.mark.parametrize(("name", "source_id"), ODD.values(), ids=ODD)
def test_what_is_shown_can_be_typed_and_comes_back(caps: Caps, name: bytes, source_id: bytes) -> None:
    """XPath compares bytes, and a line end ends the question: then we compare ourselves."""
    there = caps.open(name, source_id)
    choices = [StreamChoice(number=1, wait_s=DEADLINE_S)]
    for field, sent in (("name", name), ("source_id", source_id)):
        if (text := decoded(sent)).isprintable() and text:
            message = predicate_of(f"{field}={text}")
            assert message is not None
            choices.append(StreamChoice(predicate=message, wait_s=DEADLINE_S))
    for choice in choices:
        assert find_stream(choice).name() == decoded(name)
    with Listening(choices[-1]) as heard:
        heard.wait(heard.samples, "samples")
        caps.end(there)
        del there
        heard.wait(heard.lost, "the loss")
        caps.open(name, source_id)
        heard.wait(lambda: len(heard.opened()) > 1 and heard.samples(), "samples of what came back")


def test_a_number_sign_means_the_list_and_no_name(caps: Caps) -> None:
    caps.open("2", "called two")
    caps.open("cap", "the second")
    assert find_stream(StreamChoice(number=2, predicate="2", wait_s=DEADLINE_S)).source_id() == "called two"
    assert find_stream(StreamChoice(number=2, predicate="#2", wait_s=DEADLINE_S)).source_id() == "the second"


def test_twins_are_distinguished_by_number_and_by_uid(caps: Caps) -> None:
    name = f"twin-{uuid.uuid4().hex}"
    for _ in range(2):
        caps.open(name, "from the factory")
    infos = numbered(resolve(f"name='{name}'", minimum=2, timeout=DEADLINE_S))
    assert len(infos) == 2
    with pytest.raises(StreamError, match="2 streams match") as reported:
        find_stream(StreamChoice(predicate=f"name='{name}'", wait_s=DEADLINE_S))
    assert "#" in str(reported.value)
    for info in infos:
        all_of_them = [one.uid() for one in numbered(pylsl.resolve_streams(wait_time=1.0))]
        found = find_stream(StreamChoice(number=all_of_them.index(info.uid()) + 1, wait_s=DEADLINE_S))
        assert found.uid() == info.uid()
        assert (
            find_stream(StreamChoice(predicate=f"uid='{info.uid()}'", wait_s=DEADLINE_S)).uid() == info.uid()
        )


def test_a_stream_chosen_by_its_uid_is_found_again_under_another(caps: Caps) -> None:
    name = f"o'neil-{uuid.uuid4().hex}"
    first = caps.open(name, name)
    with Listening(StreamChoice(predicate=f"uid='{first.get_info().uid()}'", wait_s=DEADLINE_S)) as heard:
        heard.wait(heard.samples, "samples")
        caps.close()
        del first
        heard.wait(heard.lost, "the loss")
        caps.open(name, name)
        heard.wait(lambda: len(heard.opened()) > 1 and heard.samples(), "the same device again")
    assert heard.opened() == [name, name]


def test_no_twin_takes_the_place_of_a_stream_chosen_by_its_uid(caps: Caps) -> None:
    name = f"twin-{uuid.uuid4().hex}"
    first = caps.open(name, name)
    chosen = first.get_info().uid()
    second = Caps()
    try:
        second.open(name, name)
        with Listening(StreamChoice(predicate=f"uid='{chosen}'", wait_s=DEADLINE_S)) as heard:
            heard.wait(heard.samples, "samples")
            caps.close()
            del first
            heard.wait(heard.lost, "the loss")
            assert heard.source._again == f"uid='{chosen}'"
        assert "1 more streams had its name or source_id" in heard.lost()[0]
        assert heard.opened() == [name]
    finally:
        second.close()


def test_the_replacement_of_one_that_hangs_is_found_whatever_its_name(
    caps: Caps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lsl_reading, "SILENT_S", 0.5)
    monkeypatch.setattr(lsl_reading, "SILENT_SAMPLES", 1)
    monkeypatch.setattr(lsl_reading, "CLOCK_EVERY_S", 0.2)
    name = f'O\'Neil "cap" {uuid.uuid4().hex}'
    choice = StreamChoice(predicate=predicate_of(name) or "", wait_s=DEADLINE_S)
    hanging = caps.open(name, name)
    with Listening(choice) as heard:
        heard.wait(heard.samples, "samples")
        caps.hang(hanging)  # it goes on answering those who look for it
        caps.open(name, name)
        heard.wait(lambda: len(heard.opened()) > 1 and heard.samples(), "samples of the replacement")
    assert "another outlet with the same source_id" in heard.lost()[0]
