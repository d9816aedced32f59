"""``hemostream doctor``: what would stop a session here, and what to do about it."""

import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models.errors import HemostreamError
from tools.doctor.finding import Finding, Level, good, problem
from tools.messages import say

if TYPE_CHECKING:
    from realtime.channels.side_file import SideFile
    from realtime.core import Plan

HOUSE = Path(__file__).resolve().parents[2]


def doctor(
    *,
    model: Path | None = None,
    stream: str | None = None,
    layout: Path | None = None,
    broker: str | None = None,
    journal: Path | None = None,
    streams: int = 2,
    listen: float = 3.0,
    allow_insecure: bool = False,
    protocol: Literal["5", "3.1.1"] = "5",
    json_lines: bool = False,
) -> int:
    """Check whether a session could run here, and what to do where it could not.

    Changes nothing. Takes some seconds, in which it listens to fNIRS and fMRI streams and makes a stream
    of its own that sends nothing. Ends with 1 where something would stop a session.

    Parameters
    ----------
    model
        Bundle folder: can it be read, and could it take the streams that are there?
    stream
        Look at this stream only: chosen as "live" takes it, of whatever type. By default all are
        reported, and one that cannot be used stops nothing where there is another that can.
    layout
        Side file (JSON) for a stream that does not describe itself, as "live" takes it.
    broker
        mqtt://host:port or mqtts://host:port: does it answer and let us in? User name and password come from
        HEMOSTREAM_MQTT_USER and HEMOSTREAM_MQTT_PASSWORD.
    journal
        Folder for the journals; by default this one.
    streams
        How many LSL streams this machine is to send; a bed has two (signal and events).
    listen
        How long to listen to streams, s; 0 does not. A replay is never listened to: it would begin.
    allow_insecure
        As "live" takes it.
    protocol
        MQTT version, as "live" takes it.
    json_lines
        One JSON object a line.

    Returns
    -------
    int
        1 where something would stop a session, else 0.
    """
    if not listen >= 0 or streams < 1:
        raise HemostreamError(
            f"--listen is {listen:g} and --streams {streams}; expected seconds, 0 or more, and a count "
            "from 1."
        )
    found: list[Finding] = []
    for finding in _findings(
        model=model,
        stream=stream,
        layout=layout,
        broker=broker,
        journal=journal or Path(),
        streams=streams,
        listen=listen,
        allow_insecure=allow_insecure,
        protocol=protocol,
    ):
        found.append(finding)
        if json_lines:
            print(json.dumps(asdict(finding)), flush=True)
        else:
            say(str(finding), indent=9)
    if not json_lines:
        say(summary(found))
    return int(any(finding.level is Level.PROBLEM for finding in found))


def summary(found: Sequence[Finding]) -> str:
    """The last line: how many problems and warnings there are."""
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    warnings = sum(finding.level is Level.WARNING for finding in found)
    noted = f"({warnings} warning{'' if warnings == 1 else 's'})"
    if not problems:
        return f"Nothing here stops a session {noted}."
    return f"{problems} of {len(found)} checks would stop a session {noted}."


def _findings(
    *,
    model: Path | None,
    stream: str | None,
    layout: Path | None,
    broker: str | None,
    journal: Path,
    streams: int,
    listen: float,
    allow_insecure: bool,
    protocol: Literal["5", "3.1.1"],
) -> Iterator[Finding]:
    from tools.doctor import here

    wall, steady = time.time(), time.monotonic()
    yield here.check_python(sys.version_info[:2], platform.platform(terse=True))
    installed = _guarded("installation", lambda: [_installation()])
    yield from installed
    if any(finding.level is Level.PROBLEM for finding in installed):
        return  # whatever came next might be another distribution's
    yield from _guarded("torch", lambda: [here.check_torch(_load_torch)])
    lsl = _lsl(streams)
    ready = True
    for finding in lsl:
        ready = ready and not (finding.check == "liblsl" and finding.level is Level.PROBLEM)
        yield finding
    bundle_finding, plan = _plan(model)
    yield from bundle_finding
    side_finding, side = _side(layout)
    yield from side_finding
    if ready:
        yield from _guarded("streams", lambda: _streams(listen, stream, side, plan))
    from tools.doctor.broker import check_broker

    environ = os.environ
    yield from _guarded(
        "broker", lambda: [check_broker(broker, environ, allow_insecure=allow_insecure, protocol=protocol)]
    )
    yield here.check_journal_folder(journal)
    stepped = (time.time() - wall) - (time.monotonic() - steady)
    yield here.check_clock(time.time(), here.newest_file(HOUSE), stepped)


def _guarded(check: str, look: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    """A check that fails itself is a finding: the others must still be reported."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - a doctor that fails at what it found does not help
        failure = f"the check failed: {type(error).__name__}: {error}"
        return [problem(check, failure, "", "Please report it, with this line")]


def _installation() -> Finding:
    from tools.doctor.here import FLOORS, check_installation

    try:
        ours = version("hemostream")
    except PackageNotFoundError:
        ours = "(not installed, run from its folder)"
    specs = {floor: importlib.util.find_spec(floor) for floor in FLOORS}
    origins = {floor: spec.origin if spec else None for floor, spec in specs.items()}
    return check_installation(HOUSE, origins, packages_distributions(), ours)


def _load_torch() -> tuple[str, Sequence[str], bool]:
    import torch

    from realtime.inference import available_devices

    return torch.__version__, available_devices(), torch.version.cuda is not None


def _lsl(streams: int) -> Iterator[Finding]:
    from tools.doctor import lsl as doctor_lsl

    name, number = platform.libc_ver()
    parts = number.split(".") if name == "glibc" else []
    glibc = (int(parts[0]), int(parts[1])) if len(parts) >= 2 and all(map(str.isdigit, parts[:2])) else None
    loaded = doctor_lsl.check_liblsl(
        _load_liblsl, system=platform.system(), machine=platform.machine(), glibc=glibc
    )
    yield loaded
    settings, finding = doctor_lsl.read_settings(os.environ, Path.cwd(), Path.home())
    yield finding
    taken = doctor_lsl.taken_ports(settings.base_port, min(settings.port_range, 2000))
    yield doctor_lsl.check_ports(settings, streams, taken)
    if loaded.level is not Level.PROBLEM:
        yield from _guarded(
            "LSL discovery",
            lambda: [doctor_lsl.check_discovery(doctor_lsl.found_here, doctor_lsl.found_by_peers)],
        )


def _load_liblsl() -> str:
    from tools.lsl_config import hide_lsl_information

    hide_lsl_information()
    import pylsl

    release = divmod(pylsl.library_version(), 100)
    return f"pylsl {version('pylsl')} with liblsl {release[0]}.{release[1]}"


def _plan(model: Path | None) -> tuple[Sequence[Finding], "Plan | None"]:
    if model is None:
        return (), None
    from models.bundle import read_bundle
    from realtime.core import Plan
    from tools.doctor.here import check_bundle

    finding, bundle = check_bundle(lambda: read_bundle(model))
    return (finding,), None if bundle is None else Plan.from_card(bundle.card)


def _side(layout: Path | None) -> tuple[Sequence[Finding], "SideFile | None"]:
    if layout is None:
        return (), None
    from realtime.channels.side_file import read_side_file

    try:
        side = read_side_file(layout)
    except HemostreamError as error:
        return (problem("layout", str(error)),), None
    return (good("layout", f"{layout} can be read"),), side


def _streams(
    listen: float, stream: str | None, side: "SideFile | None", plan: "Plan | None"
) -> Sequence[Finding]:
    from tools.doctor.streams import check_streams, look_around

    seen = look_around(listen, stream)
    return check_streams(seen, side=side, plan=plan, named=stream)
