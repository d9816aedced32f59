"""Every check says what it found, what should be, and what to do; and a real run finds what is really "
"wrong."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from xml.etree import ElementTree as ET

import pylsl
import pytest

from models.errors import BundleError
from realtime.channels.lsl_description import describe
from realtime.log import Origin, OriginKind
from realtime.signal import Channel, Kind, SignalSpec
from tests.realtime.support import fast_plan, intensity_spec
from tools import cli
from tools.commands.doctor import summary
from tools.doctor.broker import check_broker
from tools.doctor.finding import Finding, Level, good, problem, warning
from tools.doctor.here import (
    EARLIEST,
    FLOORS,
    check_bundle,
    check_clock,
    check_installation,
    check_journal_folder,
    check_python,
    check_torch,
)
from tools.doctor.lsl import (
    LslSettings,
    check_discovery,
    check_liblsl,
    check_ports,
    how_to_get,
    read_settings,
    taken_ports,
)
from tools.doctor.streams import MANY, FoundStream, Listened, check_stream, check_streams

HOUSE = Path(__file__).resolve().parents[2]


def raising(error):
    def load(*_):
        raise error

    return load


# ---------------------------------------------------------------- this machine


def test_a_line_has_everything_and_stays_one_line():
    line = str(problem("check", "found\nthis.", "that", "Do so"))
    assert line == "problem  check: found this; expected that. Do so."
    assert str(good("a", "b")) == "ok       a: b."
    assert summary([good("a", "b"), warning("c", "d")]) == "Nothing here stops a session (1 warning)."
    assert summary([problem("a", "b")]).startswith("1 of 1 checks would stop")


def test_python_and_torch():
    assert check_python((3, 11), "here").level is Level.OK
    assert "3.11 or later" in str(check_python((3, 10), "here"))
    assert "computes on cuda (of cuda, cpu)" in str(check_torch(lambda: ("2.6", ("cuda", "cpu"), True)))
    assert "no such device answers" in str(check_torch(lambda: ("2.6", ("cpu",), True)))
    broken = check_torch(raising(OSError("libcudart.so.12")))
    assert broken.level is Level.PROBLEM
    assert "libcudart.so.12" in broken.found


def at(house, **elsewhere):
    return {floor: elsewhere.get(floor, str(house / floor / "__init__.py")) for floor in FLOORS}


def test_whose_packages_these_are(tmp_path):
    ours = {floor: ["hemostream"] for floor in FLOORS}
    assert check_installation(tmp_path, at(tmp_path), ours, "1").level is Level.OK
    twice = check_installation(
        tmp_path, at(tmp_path), {**ours, "models": ["hemostream", "keras-models"]}, "1"
    )
    assert twice.level is Level.WARNING
    assert "keras-models" in twice.found
    other = str(tmp_path / "site-packages" / "tools" / "__init__.py")
    shadowed = check_installation(tmp_path, at(tmp_path, tools=other), {**ours, "tools": ["handy"]}, "1")
    assert shadowed.level is Level.PROBLEM
    assert other in shadowed.found
    assert "it comes with handy" in shadowed.found
    assert check_installation(tmp_path, at(tmp_path, offline=None), ours, "1").level is Level.PROBLEM


def test_a_shadowed_package_is_reported_by_every_command(monkeypatch):
    assert cli.not_ours("scipy") == ""
    assert cli.not_ours("models.absent") == "", "ours is here: then that is another fault"
    elsewhere = ModuleSpec("models", None, origin="/elsewhere/models/__init__.py")
    monkeypatch.setattr(cli.importlib.util, "find_spec", lambda name: elsewhere)
    assert "'models' is /elsewhere/models/__init__.py" in cli.not_ours("models.errors")


def test_the_clock():
    assert check_clock(EARLIEST + 1e6, EARLIEST, 0.0).level is Level.OK
    assert check_clock(1e9, EARLIEST, 0.0).level is Level.PROBLEM
    assert "earlier than" in check_clock(EARLIEST + 1, EARLIEST + 1e6, 0.0).found
    assert "set by -3600.0 s" in check_clock(EARLIEST + 1e6, EARLIEST, -3600.0).found


def test_the_journals_folder(tmp_path):
    assert f"{tmp_path} can be written" in check_journal_folder(tmp_path).found
    assert check_journal_folder(tmp_path, lambda _: 5e9).level is Level.OK
    assert check_journal_folder(tmp_path, lambda _: 1e9).level is Level.WARNING
    assert check_journal_folder(tmp_path, lambda _: 1e8).level is Level.PROBLEM
    assert check_journal_folder(tmp_path / "absent").level is Level.PROBLEM
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
    if Path("/proc/self").is_dir():  # a folder that nobody can write to, not even root
        assert "cannot be written" in check_journal_folder(Path("/proc/self")).found


def test_a_bundle_that_cannot_be_read():
    finding, bundle = check_bundle(raising(BundleError("x is not a readable bundle")))
    assert (finding.level, bundle) == (Level.PROBLEM, None)


# ------------------------------------------------------------------------- LSL


@pytest.mark.parametrize(
    ("system", "machine", "glibc", "expected"),
    [
        ("Linux", "x86_64", (2, 31), "glibc 2.35 or later.*PYLSL_LIB"),
        ("Linux", "aarch64", (2, 39), "x86_64 only.*conda-forge liblsl"),
        ("Linux", "x86_64", (2, 39), "pip install --force-reinstall pylsl"),
        ("Darwin", "arm64", None, "brew install labstreaminglayer/tap/lsl"),
        ("Windows", "AMD64", None, "wheel for Windows"),
    ],
)
def test_a_missing_liblsl_says_how_to_get_it_here(system, machine, glibc, expected):
    finding = check_liblsl(
        raising(RuntimeError("LSL binary library file was not found")),
        system=system,
        machine=machine,
        glibc=glibc,
    )
    assert finding.level is Level.PROBLEM
    assert "was not found" in finding.found
    assert re.search(expected, finding.do)
    assert finding.do == how_to_get(system, machine, glibc)


def test_a_liblsl_that_loads():
    assert (
        str(check_liblsl(lambda: "liblsl 1.18", system="", machine="", glibc=None))
        == "ok       liblsl: liblsl 1.18."
    )


def test_the_configuration_in_force(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "here"
    (home / "lsl_api").mkdir(parents=True)
    folder.mkdir()
    settings, finding = read_settings({}, folder, home)
    if settings.path is None:  # unless this machine has one for all
        assert finding.level is Level.OK
    general = home / "lsl_api" / "lsl_api.cfg"
    general.write_text("[ports]\nPortRange = 64 ; more\n[lab]\nKnownPeers = {10.0.0.2, bed4}\n")
    settings, finding = read_settings({}, folder, home)
    assert (settings.path, settings.port_range, settings.peers) == (general, 64, ("10.0.0.2", "bed4"))
    assert settings.most_streams == 33
    assert finding.level is Level.OK
    nearer = folder / "lsl_api.cfg"
    nearer.write_text("[lab]\nSessionID = ward\n")
    settings, finding = read_settings({}, folder, home)
    assert (settings.path, settings.session, finding.level) == (nearer, "ward", Level.WARNING)
    named = tmp_path / "named.cfg"
    named.write_text("[multicast]\nResolveScope = machine\n")
    settings, finding = read_settings({"LSLAPICFG": str(named)}, folder, home)
    assert settings.scope == "machine"
    assert "Only streams of this machine" in finding.do
    _, finding = read_settings({"LSLAPICFG": str(tmp_path / "absent")}, folder, home)
    assert "is no file" in finding.found
    named.write_text("[ports]\nPortRange = many\n")
    assert read_settings({"LSLAPICFG": str(named)}, folder, home)[1].level is Level.PROBLEM
    named.write_text("PortRange 3")
    assert read_settings({"LSLAPICFG": str(named)}, folder, home)[1].level is Level.PROBLEM


def test_a_port_range_too_small_for_many_streams():
    assert check_ports(LslSettings(), 17, 0).level is Level.OK
    few = check_ports(LslSettings(), 18, 0)
    assert few.level is Level.PROBLEM
    assert "PortRange = 400" in few.do
    assert check_ports(LslSettings(), 17, 10).level is Level.PROBLEM, "others are there already"
    assert check_ports(LslSettings(port_range=400), 160, 0).level is Level.OK


def test_ports_that_are_taken_are_counted():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        assert taken_ports(port, 1) == 1
    assert taken_ports(port, 1) == 0


def test_discovery_tells_a_blocked_multicast_from_no_way_at_all():
    assert check_discovery(lambda: 0.5, raising(AssertionError())).level is Level.OK
    blocked = check_discovery(lambda: None, lambda: 0.5)
    assert blocked.level is Level.PROBLEM
    assert "multicast is blocked" in blocked.found
    assert "KnownPeers = {127.0.0.1, " in blocked.do
    assert "not even when asked for directly" in check_discovery(lambda: None, lambda: None).found


# --------------------------------------------------------------------- streams


def seen(name="Cap", content="NIRS", rows=4, rate=10.0, desc=None, host="lab", listened=None, **more):
    info = ET.Element("info")
    for tag, value in {
        "name": name,
        "type": content,
        "channel_count": rows,
        "nominal_srate": rate,
        "hostname": host,
        "source_id": f"id-{name}",
    }.items():
        ET.SubElement(info, tag).text = str(value)
    if desc is not None:
        info.append(desc)
    return FoundStream(info, listened=listened, **more)


SPEC = intensity_spec()
LIVE = Origin()


def test_a_stream_that_is_well():
    one = seen(desc=describe(SPEC, LIVE), listened=Listened(30, 10.01))
    finding = check_stream(one, plan=fast_plan(SPEC))
    assert finding.level is Level.OK
    for part in (
        "4 rows",
        "declares 10 Hz, sends 10.01 Hz",
        "recognised as hemostream because",
        "4 of intensity",
    ):
        assert part in finding.found
    assert "the model finds its 4 channels" in finding.found


def test_a_model_that_cannot_take_it_names_the_channels():
    finding = check_stream(seen(desc=describe(SPEC, LIVE)), plan=fast_plan(intensity_spec(pairs=3)))
    assert finding.level is Level.PROBLEM
    assert "S3_D3 760" in finding.do
    assert "2 of the 6 channels" in finding.do


def test_a_rate_that_is_not_true_and_a_silent_stream():
    wrong = check_stream(seen(desc=describe(SPEC, LIVE), listened=Listened(30, 9.13), rate=7.88))
    assert wrong.level is Level.WARNING
    assert "declares 7.88 Hz, sends 9.13 Hz" in wrong.found
    silent = check_stream(seen(desc=describe(SPEC, LIVE), listened=Listened(0, None)))
    assert silent.level is Level.WARNING
    assert "expected samples" in str(silent)


def channel_format(one, form):
    ET.SubElement(one.info, "channel_format").text = form
    return one


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (channel_format(seen(desc=describe(SPEC, LIVE)), "string"), "sends text"),
        (seen(rows=10_001), "10001 channels; expected 1 to 10000"),
        (
            seen(desc=describe(SPEC, LIVE), rate=20_000.0),
            "declares 20000 Hz; a haemodynamic stream never",
        ),
        (
            seen(desc=describe(SPEC, LIVE), listened=Listened(60_000, 10.0, 20_000.0)),
            "sends about 20,000 samples a second and declares 10 Hz",
        ),
    ],
)
def test_what_live_refuses_is_refused_in_the_same_words(one, expected):
    finding = check_stream(one)
    assert finding.level is Level.PROBLEM
    assert expected in finding.do


def test_a_model_is_tried_as_live_tries_it():
    slow = seen(desc=describe(SPEC, LIVE), rate=0.0, listened=Listened(4, 1.0, 1.0))
    assert check_stream(slow).level is Level.OK
    finding = check_stream(slow, plan=fast_plan(SPEC))
    assert finding.level is Level.PROBLEM
    assert "expected 5 Hz or more" in finding.do


def test_a_replay_says_so():
    origin = Origin(OriginKind.REPLAYED, 4.0, 0.0)
    finding = check_stream(seen(desc=describe(SPEC, origin)))
    assert "declares that it is replayed at 4x: a session needs --allow-replay" in finding.found
    assert "not measured" in finding.found


def test_an_unknown_stream_says_what_was_tried():
    finding = check_stream(seen(rows=42))
    assert finding.level is Level.PROBLEM
    assert "a layout file is needed" in finding.do
    assert "Tried: hemostream: " in finding.do
    assert "expected the name OxySoft" in finding.do


def test_no_stream_several_streams_and_what_is_beside_them():
    assert check_streams([])[0].found == "no fNIRS or fMRI stream is there"
    two = [seen("A", desc=describe(SPEC, LIVE)), seen("B", desc=describe(SPEC, LIVE))]
    several = check_streams([*two, seen("m", "Markers", rows=1)])
    assert [one.level for one in several] == [Level.OK, Level.OK, Level.OK, Level.WARNING]
    assert several[2].found == "'m' (type Markers)"
    assert "2 could be meant" in several[3].found
    assert "--stream" in several[3].do
    # A session that is given the same ends where live cannot tell which: that is no matter of taste.
    assert check_streams(two, named="A or B")[-1].level is Level.PROBLEM
    absent = check_streams([], named="Nobody's cap")
    assert [one.level for one in absent] == [Level.PROBLEM]
    assert absent[0].found == "none matches Nobody's cap"
    assert check_streams(two[:1], named="A")[-1].level is Level.OK
    cap = check_streams([seen("Photon_Cap_C1_STATS", rows=36), seen("A", desc=describe(SPEC, LIVE))])
    assert [one.level for one in cap] == [Level.OK, Level.OK]
    assert "not taken" in cap[0].found
    deaf = check_streams([seen(answers=False)])
    assert deaf[0].level is Level.PROBLEM
    assert "16572" in deaf[0].do


def test_a_stream_that_cannot_be_used_stops_nothing_beside_one_that_can():
    known, unknown = seen("A", desc=describe(SPEC, LIVE)), seen("B", rows=42)
    assert [one.level for one in check_streams([known, unknown])][:2] == [Level.OK, Level.WARNING]
    assert check_streams([unknown])[0].level is Level.PROBLEM
    other = fast_plan(intensity_spec(pairs=3))
    both = check_streams([known, unknown], plan=other)
    assert [one.level for one in both][:2] == [Level.PROBLEM, Level.PROBLEM]


def test_nearly_more_streams_of_a_host_than_are_found():
    many = check_streams([seen(f"m{i}", "Markers", rows=1, host="ward") for i in range(MANY)])
    assert any("PortRange = 400" in one.do for one in many)


def test_channels_without_a_place_are_a_warning_until_the_model_fills_them_in():
    bare = SignalSpec(
        tuple(
            Channel(name=f"S1_D1 {w:g}", kind=Kind.INTENSITY, unit="V", source=1, detector=1, wavelength=w)
            for w in (760.0, 850.0)
        ),
        10.0,
    )
    desc = describe(bare, LIVE)
    desc.remove(desc.find("hemostream"))
    finding = check_stream(seen(desc=desc, rows=2))
    assert finding.level is Level.WARNING
    assert "no distance is known" in finding.do


# ---------------------------------------------------------------------- broker


def test_a_broker_is_asked(mosquitto_path, tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    url = f"mqtt://127.0.0.1:{port}"
    assert check_broker(None, {}).level is Level.OK
    absent = check_broker(url, {})
    assert absent.level is Level.PROBLEM
    assert "does not answer" in absent.found
    assert "credentials" in check_broker("mqtt://a:b@127.0.0.1", {}).found
    assert check_broker("mqtt://broker.example", {}).level is Level.PROBLEM, "in the clear to another machine"

    words, config = tmp_path / "words", tmp_path / "mosquitto.conf"
    tool = shutil.which("mosquitto_passwd") or str(Path(mosquitto_path).with_name("mosquitto_passwd"))
    subprocess.run([tool, "-c", "-b", words, "bed", "right"], check=True, capture_output=True)
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {words}\nuser "
        f"{os.environ.get('USER', 'root')}\n"
    )
    with subprocess.Popen(
        [mosquitto_path, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        try:
            until = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < until
                    time.sleep(0.02)
            refused = check_broker(url, {})
            assert refused.level is Level.PROBLEM
            assert "refuses us without credentials" in refused.found
            known = {"HEMOSTREAM_MQTT_USER": "bed", "HEMOSTREAM_MQTT_PASSWORD": "right"}
            assert check_broker(url, known).level is Level.OK
            wrong = check_broker(url, {**known, "HEMOSTREAM_MQTT_PASSWORD": "never-shown"})
            assert wrong.level is Level.PROBLEM
            assert "never-shown" not in str(wrong)
        finally:
            run.terminate()


# ------------------------------------------------------------------- real runs


def run_doctor(*words, **environ):
    done = subprocess.run(
        [sys.executable, "-m", "tools.cli", "doctor", "--json-lines", *words],
        cwd=HOUSE,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = [Finding(**json.loads(line)) for line in done.stdout.splitlines()]
    assert found, done.stderr
    return done.returncode, {one.check: one for one in found}


def test_a_real_run_finds_a_real_stream(tmp_path):
    from realtime.sources.lsl.stream_info import stream_info

    name = f"doctors-patient-{os.getpid()}"
    info = stream_info(SPEC, name=name, source_id=name, origin=LIVE)
    outlet, done = pylsl.StreamOutlet(info), threading.Event()

    def send():
        while not done.wait(0.1):
            outlet.push_sample([0.5] * len(SPEC))

    sender = threading.Thread(target=send)
    sender.start()
    try:
        code, found = run_doctor("--journal", str(tmp_path), "--listen", "1.5", "--stream", name)
    finally:
        done.set()
        sender.join()
    patient = found[f"stream {name!r}"]
    assert "recognised as hemostream" in patient.found
    assert "Hz, sends " in patient.found
    assert found["LSL discovery"].level == "ok"
    assert found["installation"].level == "ok"
    assert f"{tmp_path} can be written" in found["journal"].found
    assert code == int(any(one.level == "problem" for one in found.values()))


def test_a_real_run_refuses_text_by_a_name_with_an_apostrophe_and_of_any_type(tmp_path):
    name = f'doctor\'s "patient" {os.getpid()}'
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "", 1, 0, pylsl.cf_string, name))
    code, found = run_doctor("--journal", str(tmp_path), "--listen", "0.5", "--stream", name)
    assert code == 1
    assert "sends text" in found[f"stream {name!r}"].do
    del outlet


def test_a_real_run_finds_a_blocked_multicast_and_a_small_port_range(tmp_path):
    config = tmp_path / "lsl_api.cfg"
    # An address of a documentation network: nothing is there.
    config.write_text(
        "[multicast]\nResolveScope = machine\nMachineAddresses = {198.51.100.7}\n[lab]\nSessionID = blocked\n"
        "[log]\nlevel = -3\n"
    )
    code, found = run_doctor("--streams", "40", "--listen", "0", LSLAPICFG=str(config))
    assert code == 1
    assert "multicast is blocked" in found["LSL discovery"].found
    assert re.match(r"room for \d+ more streams of this machine \(32 ports", found["LSL ports"].found)
    assert found["LSL ports"].level == "problem"
    assert str(config) in found["LSL configuration"].found


def test_a_real_run_without_liblsl(tmp_path):
    (tmp_path / "pylsl.py").write_text("raise RuntimeError('LSL binary library file was not found.')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code, found = run_doctor(PYTHONPATH=path)
    assert code == 1
    assert found["liblsl"].level == "problem"
    assert "PYLSL_LIB" in found["liblsl"].do or "pip install" in found["liblsl"].do
    assert "journal" in found, "all else is reported as well"
    assert not any(check.startswith("stream") for check in found)
