"""Checks of the streams that are there: what each was recognised as, and whether a model could take it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from models.errors import HemostreamError
from realtime.description import read_origin
from realtime.devices import ADAPTERS, companion_of, layout_of, recognise
from realtime.devices.recognition import rate_of, rows_of, text_of
from realtime.layout import StreamLayout
from realtime.log import OriginKind
from realtime.matching import match_channels
from realtime.side_file import SideFile
from tools.doctor_finding import Finding, Level, good, problem, warning

if TYPE_CHECKING:
    import pylsl

    from realtime.core import Plan

TYPES = ("NIRS", "NIRSx", "fNIRS", "fMRI")
"""Types of streams that `live` looks for."""
LOOK_S, ANSWER_S = 1.5, 4.0
"""How long to look for streams, and how long to wait for one to describe itself, s."""
OTHER_RATE = 0.03
"""A measured rate that differs from the declared one by more than this share is told."""
MANY = 15
"""So many streams of one host come near to what liblsl finds by default (17, measured)."""


@dataclass(frozen=True, slots=True)
class Listened:
    """What came of a stream in a few seconds.

    Parameters
    ----------
    samples : int
        How many.
    rate : float or None
        Measured (Hz) by the stamps; None where too few came.
    """

    samples: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One stream as it was found.

    Parameters
    ----------
    info : Element
        Its ``info`` with description; without one where it did not answer.
    answers : bool
        Whether it described itself when asked.
    listened : Listened or None
        None where it was not listened to.
    """

    info: ET.Element
    answers: bool = True
    listened: Listened | None = None


def check_streams(
    seen: Sequence[Seen], *, side: SideFile | None = None, plan: "Plan | None" = None
) -> list[Finding]:
    """Say of every stream what it is.

    Parameters
    ----------
    seen : sequence of Seen
        All LSL streams.
    side : StreamLayout, Geometry or None
        What ``--layout`` says of the rows.
    plan : Plan or None
        Of the model that is to take one.
    """
    brain = [one for one in seen if text_of(one.info, "type") in TYPES]
    signals = [one for one in brain if not companion_of(one.info)]
    found = [check_stream(one, side, plan) for one in brain]
    if any(one.level is not Level.PROBLEM for one, of in zip(found, brain, strict=True) if of in signals):
        # A session takes one stream: with another that can be taken, this one stops nothing.
        found = [replace(one, level=Level.WARNING) if one.level is Level.PROBLEM else one for one in found]
    others = [f"{_called(one)}" for one in seen if one not in brain]
    if others:
        found.append(good("other streams", ", ".join(others)))
    if not signals:
        found.append(
            warning(
                "streams",
                "no fNIRS or fMRI stream is there",
                f"one of type {', '.join(TYPES)}",
                "Switch LSL on in the device's program; its firewall may hide it, or another session id",
            )
        )
    elif len(signals) > 1:
        names = ", ".join(f"{_called(one)} (source_id {text_of(one.info, 'source_id')!r})" for one in signals)
        found.append(
            warning("streams", f"{len(signals)} could be meant: {names}", "one", "Name it with --stream")
        )
    hosts = [text_of(one.info, "hostname") for one in seen]
    for host in sorted(set(hosts)):
        if hosts.count(host) >= MANY:
            found.append(
                warning(
                    "streams",
                    f"{hosts.count(host)} come from host {host!r}; by default no more than 17 of one are "
                    "found",
                    "",
                    "Set PortRange = 400 under [ports] in lsl_api.cfg of every machine",
                )
            )
    return found


def check_stream(seen: Seen, side: SideFile | None = None, plan: "Plan | None" = None) -> Finding:
    """Say what one stream was recognised as, how fast it is, and whether the model could take it.

    Parameters
    ----------
    seen : Seen
        The stream.
    side : StreamLayout, Geometry or None
        What ``--layout`` says of the rows.
    plan : Plan or None
        Of the model that is to take it.
    """
    info = seen.info
    check = f"stream {text_of(info, 'name')!r}"
    if what := companion_of(info):
        return good(check, f"{what}, which a device sends beside its signal; not taken")
    if not seen.answers:
        return problem(
            check,
            f"on host {text_of(info, 'hostname')!r} was found and does not answer",
            "its description",
            "Let the firewall pass TCP and UDP ports 16572 to 16604 on both machines",
        )
    facts: list[str] = []
    try:
        facts += [f"type {text_of(info, 'type')}, {rows_of(info)} rows", _rate(seen)]
        origin = read_origin(info)
        if origin.kind is not OriginKind.LIVE:
            facts.append(
                f"says that it is {origin.kind} at {origin.speed:g}x: a session needs --allow-replay"
            )
        layout = layout_of(info, side)
        told, lacks = _recognised(info, layout, side)
        facts.append(told)
        if plan is not None:
            match_channels(plan.spec, layout.spec)
            facts.append(f"the model finds its {len(plan.spec)} channels")
            lacks = ""
    except HemostreamError as error:
        return problem(check, ", ".join(facts), "", str(error))
    said = ", ".join(facts)
    if lacks:
        return warning(check, said, "", lacks)
    if seen.listened is not None and not seen.listened.samples:
        return warning(check, said, "samples", "Start the measurement in the device's program")
    if _is_other(seen):
        return warning(
            check, said, "the declared rate", "Nothing: sessions measure the rate and believe that"
        )
    return good(check, said)


def _recognised(info: ET.Element, layout: StreamLayout, side: SideFile | None) -> tuple[str, str]:
    """What it is and why, and what is lacking."""
    kinds: dict[str, int] = {}
    for channel in layout.spec.channels:
        kinds[channel.kind.value] = kinds.get(channel.kind.value, 0) + 1
    channels = ", ".join(f"{count} of {kind}" for kind, count in kinds.items())
    if side is not None:
        return f"by the side file: {channels}", ""
    one = recognise(info)
    remarks = "".join(f" ({remark})" for remark in one.remarks)
    return f"recognised as {ADAPTERS[one.device].TITLE} because {one.why}: {channels}{remarks}", one.lacks


def _rate(seen: Seen) -> str:
    declared = rate_of(seen.info)
    said = f"declares {declared:.4g} Hz" if declared else "declares no rate"
    if seen.listened is None:
        return f"{said}, not measured"
    if seen.listened.rate is None:
        return f"{said}, sent {seen.listened.samples} samples while listened to"
    return f"{said}, sends {seen.listened.rate:.4g} Hz"


def _is_other(seen: Seen) -> bool:
    declared, rate = rate_of(seen.info), seen.listened.rate if seen.listened else None
    return rate is not None and declared > 0 and abs(rate - declared) > OTHER_RATE * declared


def _called(one: Seen) -> str:
    return f"{text_of(one.info, 'name')!r} (type {text_of(one.info, 'type') or 'none'})"


def look_around(listen_s: float, predicate: str | None = None) -> list[Seen]:
    """Find streams; ask those of the brain to describe themselves, and listen to them.

    A replay is not listened to: it waits for its first listener, and would begin for us.

    Parameters
    ----------
    listen_s : float
        How long to listen (s), to all at once.
    predicate : str or None
        Which ones, as LSL's resolver takes it; None is all.
    """
    from concurrent.futures import ThreadPoolExecutor

    import pylsl

    if predicate is None:
        infos = pylsl.resolve_streams(wait_time=LOOK_S)
    else:
        infos = pylsl.resolve_bypred(predicate, minimum=1000, timeout=LOOK_S)
    if not infos:
        return []
    with ThreadPoolExecutor(max_workers=min(len(infos), 16)) as pool:
        return list(pool.map(lambda info: look_at(info, listen_s), infos))


def look_at(info: "pylsl.StreamInfo", listen_s: float) -> Seen:
    """Ask one stream, if it is of the brain.

    Parameters
    ----------
    info : pylsl.StreamInfo
        As the resolver gives it.
    listen_s : float
        How long to listen, s.
    """
    import pylsl

    short = ET.fromstring(info.as_xml())
    if info.type() not in TYPES or companion_of(short):
        return Seen(short)
    inlet = pylsl.StreamInlet(info, max_buflen=60, processing_flags=0, recover=False)
    try:
        full = ET.fromstring(inlet.info(timeout=ANSWER_S).as_xml())
        try:
            live = read_origin(full).kind is OriginKind.LIVE
        except HemostreamError:
            live = False
        listened = _listen(inlet, listen_s) if live and listen_s > 0 else None
        return Seen(full, True, listened)
    except (pylsl.util.TimeoutError, pylsl.util.LostError):
        return Seen(short, answers=False)
    finally:
        inlet.close_stream()


def _listen(inlet: "pylsl.StreamInlet", listen_s: float) -> Listened:
    import pylsl

    inlet.open_stream(timeout=ANSWER_S)
    until = pylsl.local_clock() + listen_s
    stamps: list[float] = []
    while (left := until - pylsl.local_clock()) > 0:
        _, stamp = inlet.pull_sample(timeout=left)
        if stamp is not None:
            stamps.append(stamp)
    span = stamps[-1] - stamps[0] if stamps else 0.0
    return Listened(len(stamps), (len(stamps) - 1) / span if len(stamps) > 4 and span > 0 else None)
