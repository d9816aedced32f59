"""Checks of the streams that are there: what each was recognised as, and whether a model could take it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from models.errors import HemostreamError
from models.outside import printable
from realtime.channels.lsl_description import read_origin
from realtime.channels.side_file import SideFile
from realtime.channels.stream_xml import read_stream_xml
from realtime.devices import ADAPTERS, companion_of, recognise
from realtime.devices.recognition import rate_of, rows_of, text_of
from realtime.log import OriginKind
from realtime.signal import SignalSpec
from realtime.sources.stream_checks import MOST_HZ, check_model, check_sent, open_stream
from realtime.sources.stream_choice import TYPES
from tools.doctor.finding import Finding, Level, good, problem, warning

if TYPE_CHECKING:
    import pylsl

    from realtime.core import Plan

LOOK_S, ANSWER_S = 1.5, 4.0
"""How long to look for streams, and how long to wait for one to describe itself, s."""
OTHER_RATE = 0.03
"""A measured rate that differs from the declared one by more than this share is reported."""
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
    per_s : float or None
        Samples a second by our own clock; None where that is not known.
    """

    samples: int
    rate: float | None
    per_s: float | None = None


@dataclass(frozen=True, slots=True)
class FoundStream:
    """One stream as it was found.

    Parameters
    ----------
    info : Element
        Its ``info`` with description; without one where it did not answer.
    answers : bool
        Whether it described itself when asked.
    listened : Listened or None
        None where it was not listened to.
    named : bool
        Whether it was asked for, so that its type is no matter.
    """

    info: ET.Element
    answers: bool = True
    listened: Listened | None = None
    named: bool = False

    @property
    def signal(self) -> bool:
        """Whether `live` could mean it."""
        return self.named or text_of(self.info, "type") in TYPES


def check_streams(
    seen: Sequence[FoundStream],
    *,
    side: SideFile | None = None,
    plan: "Plan | None" = None,
    named: str | None = None,
) -> list[Finding]:
    """Say of every stream what it is.

    Parameters
    ----------
    seen : sequence of Seen
        All LSL streams.
    side : StreamLayout, Geometry or None
        What ``--layout`` describes of the rows.
    plan : Plan or None
        Of the model that is to take one.
    named : str or None
        What a person wrote for the stream: a session that is given the same ends where none or several match.
    """
    brain = [one for one in seen if one.signal]
    signals = [one for one in brain if not companion_of(one.info)]
    found = [check_stream(one, side, plan) for one in brain]
    if any(one.level is not Level.PROBLEM for one, of in zip(found, brain, strict=True) if of in signals):
        # A session takes one stream: with another that can be taken, this one stops nothing.
        found = [replace(one, level=Level.WARNING) if one.level is Level.PROBLEM else one for one in found]
    others = [f"{_called(one)}" for one in seen if one not in brain]
    if others:
        found.append(good("other streams", ", ".join(others)))
    if named is not None and not seen:
        found.append(
            problem(
                "streams",
                f"none matches {printable(named)}",
                "one",
                "Start it, and see its name in the list of all (without --stream); a firewall may hide it",
            )
        )
    elif not signals:
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
        several = f"{len(signals)} could be meant: {names}"
        found.append(
            warning("streams", several, "one", "Name it with --stream")
            if named is None
            else problem("streams", several, "one", "Name it by its source_id, uid or number (#2)")
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


def check_stream(seen: FoundStream, side: SideFile | None = None, plan: "Plan | None" = None) -> Finding:
    """Say what one stream was recognised as, how fast it is, and whether the model could take it.

    Parameters
    ----------
    seen : Seen
        The stream.
    side : StreamLayout, Geometry or None
        What ``--layout`` describes of the rows.
    plan : Plan or None
        Of the model that is to take it.
    """
    info = seen.info
    check = f"stream {text_of(info, 'name')!r}"
    if what := companion_of(info):
        return good(check, f"{what}, which a device sends with its signal; not taken")
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
                f"declares that it is {origin.kind} at {origin.speed:g}x: a session needs --allow-replay"
            )
        listened = seen.listened
        if listened is not None and listened.per_s is not None and listened.samples > MOST_HZ:
            check_sent(info, listened.per_s)
        opened = open_stream(info, side, local=0.0)
        recognised, lacks = _recognised(info, opened.spec, side)
        facts.append(recognised)
        if plan is not None:
            core = check_model(plan, opened, listened.rate if listened is not None else None)
            own = core.own_montage
            facts.append(
                f"the model finds its {len(plan.spec)} channels"
                if own is None
                else f"the model takes {own} channels of this montage, which it was not trained on"
            )
            lacks = ""
    except HemostreamError as error:
        return problem(check, ", ".join(facts), "", str(error))
    found = ", ".join(facts)
    if lacks:
        return warning(check, found, "", lacks)
    if seen.listened is not None and not seen.listened.samples:
        return warning(check, found, "samples", "Start the measurement in the device's program")
    if _is_other(seen):
        return warning(
            check, found, "the declared rate", "Nothing: sessions measure the rate and believe that"
        )
    return good(check, found)


def _recognised(info: ET.Element, spec: SignalSpec, side: SideFile | None) -> tuple[str, str]:
    """What it is and why, and what is lacking."""
    kinds: dict[str, int] = {}
    for channel in spec.channels:
        kinds[channel.kind.value] = kinds.get(channel.kind.value, 0) + 1
    channels = ", ".join(f"{count} of {kind}" for kind, count in kinds.items())
    if side is not None:
        return f"by the side file: {channels}", ""
    one = recognise(info)
    remarks = "".join(f" ({remark})" for remark in one.remarks)
    return f"recognised as {ADAPTERS[one.device].TITLE} because {one.why}: {channels}{remarks}", one.lacks


def _rate(seen: FoundStream) -> str:
    declared = rate_of(seen.info)
    found = f"declares {declared:.4g} Hz" if declared else "declares no rate"
    if seen.listened is None:
        return f"{found}, not measured"
    if seen.listened.rate is None:
        return f"{found}, sent {seen.listened.samples} samples while listened to"
    return f"{found}, sends {seen.listened.rate:.4g} Hz"


def _is_other(seen: FoundStream) -> bool:
    declared, rate = rate_of(seen.info), seen.listened.rate if seen.listened else None
    return rate is not None and declared > 0 and abs(rate - declared) > OTHER_RATE * declared


def _called(one: FoundStream) -> str:
    return f"{text_of(one.info, 'name')!r} (type {text_of(one.info, 'type') or 'none'})"


def look_around(listen_s: float, stream: str | None = None) -> list[FoundStream]:
    """Find streams; ask those of the brain to describe themselves, and listen to them.

    A replay is not listened to: it waits for its first listener, and would begin for us.

    Parameters
    ----------
    listen_s : float
        How long to listen (s), to all at once.
    stream : str or None
        Which one, as `realtime.sources.stream_choice` takes it; None is all.
    """
    from concurrent.futures import ThreadPoolExecutor

    from realtime.sources.lsl.resolve import resolve_all
    from realtime.sources.lsl.search import MANY as ALL
    from realtime.sources.lsl.search import named, of_number
    from realtime.sources.stream_choice import parse, predicate_of

    if stream is None:
        infos = resolve_all(LOOK_S)
    elif (predicate := predicate_of(stream)) is not None:
        infos = named(predicate, minimum=ALL, timeout=LOOK_S)
    else:
        infos = of_number(int(parse(stream).value), stream.strip())
    if not infos:
        return []
    with ThreadPoolExecutor(max_workers=min(len(infos), 16)) as pool:
        return list(pool.map(lambda info: look_at(info, listen_s, named=stream is not None), infos))


def look_at(info: "pylsl.StreamInfo", listen_s: float, *, named: bool = False) -> FoundStream:
    """Ask one stream, if it is of the brain.

    Parameters
    ----------
    info : pylsl.StreamInfo
        As the resolver gives it.
    listen_s : float
        How long to listen, s.
    named : bool
        Whether it was asked for, so that its type is no matter.
    """
    import pylsl

    try:
        short = read_stream_xml(info.as_xml())
    except HemostreamError:
        short = ET.Element("info")
        ET.SubElement(short, "name").text = printable(info.name())
        return FoundStream(short, answers=False, named=named)
    if not FoundStream(short, named=named).signal or companion_of(short):
        return FoundStream(short, named=named)
    inlet = pylsl.StreamInlet(info, max_buflen=60, processing_flags=0, recover=False)
    try:
        full = read_stream_xml(inlet.info(timeout=ANSWER_S).as_xml())
        try:
            live = read_origin(full).kind is OriginKind.LIVE
        except HemostreamError:
            live = False
        numbers = info.channel_format() != pylsl.cf_string
        listened = _listen(inlet, listen_s) if live and numbers and listen_s > 0 else None
        return FoundStream(full, True, listened, named)
    except (pylsl.util.TimeoutError, pylsl.util.LostError, HemostreamError):
        return FoundStream(short, answers=False, named=named)
    finally:
        inlet.close_stream()


def _listen(inlet: "pylsl.StreamInlet", listen_s: float) -> Listened:
    import pylsl

    inlet.open_stream(timeout=ANSWER_S)
    begun = pylsl.local_clock()
    stamps: list[float] = []
    while (left := begun + listen_s - pylsl.local_clock()) > 0:
        _, stamp = inlet.pull_sample(timeout=left)
        if stamp is not None:
            stamps.append(stamp)
    per_s = len(stamps) / (pylsl.local_clock() - begun)
    span = stamps[-1] - stamps[0] if stamps else 0.0
    rate = (len(stamps) - 1) / span if len(stamps) > 4 and span > 0 else None
    return Listened(len(stamps), rate, per_s)
