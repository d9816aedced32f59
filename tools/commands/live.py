"""``hemostream live``: the bedside session."""

import contextlib
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.commands.live_session import (
    bedside,
    first_after,
    leaving_nothing,
    print_trouble,
    remove_journal,
    run_loop,
)
from tools.event_loop import run_async
from tools.messages import say
from tools.outputs import Out, check_decisions

if TYPE_CHECKING:
    from realtime.sinks import Sink


def live(
    *,
    model: Path,
    stream: str | None = None,
    broker: str | None = None,
    journal: Path | None = None,
    session: str | None = None,
    layout: Path | None = None,
    events: str | None = None,
    out: Out | None = None,
    lsl_out: bool = False,
    allow_replay: bool = False,
    allow_insecure: bool = False,
    protocol: Literal["5", "3.1.1"] = "5",
    wait: float = 30.0,
    seconds: float | None = None,
    model_hash: str | None = None,
    device: str = "auto",
    quiet: bool = False,
    take_over: bool = False,
    signals: bool = False,
    accept_commands: bool = False,
    unfit_after: float = 60.0,
    home_assistant: bool = False,
    overwrite: bool = False,
    monitor: bool = False,
) -> None:
    """Classify a live stream until Ctrl-C, and publish the decisions over MQTT.

    Research use only: a decision describes a signal, it is not a diagnosis.

    Parameters
    ----------
    model : Path
        Bundle folder, as "train" writes it.
    stream : str
        Name of the stream, source_id=..., uid=..., its number in the list that messages give (#2), or an LSL
        predicate, e.g. "type='NIRS' and hostname='bed4'". Default: the one NIRS or fMRI stream.
    broker : str
        mqtt://host:port or mqtts://host:port. Default: a broker of our own on this machine, whose
        addresses and password file are printed at the start, with a command that subscribes.
        For a broker that is named, user name and password come from HEMOSTREAM_MQTT_USER
        and HEMOSTREAM_MQTT_PASSWORD, or the file that HEMOSTREAM_MQTT_PASSWORD_FILE names; certificates
        from the files that HEMOSTREAM_MQTT_CA, _CERT, _KEY and _KEY_PASSWORD_FILE name.
    journal : Path
        The session's complete record. Default: SESSION.hemostream in this folder. A journal is never
        overwritten: one of the same session is continued with a new run number.
    session : str
        Pseudonymous name of this session, part of the topics. Default: made from date and chance.
    layout : Path
        Side file (JSON) that says what the channels are, for a stream that does not; its form is
        described in realtime/channels/montage.py. Default: that of the bundle's training, if there was one.
    events : str
        Name or LSL predicate of a marker stream to journal as well. Default: that of a hemostream replay.
    out : Path
        Also write the decisions here, one JSON object a line.
    lsl_out : bool
        Also send the decisions as an LSL stream, so that any recorder captures them.
    allow_replay : bool
        Take a stream that says it is replayed or simulated.
    allow_insecure : bool
        Allow a broker on another machine without TLS and credentials.
    protocol : {"5", "3.1.1"}
        MQTT version that the session speaks.
    wait : float
        Longest wait for the stream to appear, s.
    seconds : float
        End after so many seconds of decisions. Default: at Ctrl-C.
    model_hash : str
        The bundle must have this hash (12 digits or more).
    device : str
        cuda, mps, cpu, or auto.
    quiet : bool
        No terminal view.
    take_over : bool
        Begin although the broker still shows a session of this name as running. Only for one that has
        ended and could not say so, since its broker was restarted.
    signals : bool
        Also publish the signals, thinned to ten times a second, and the quality of each channel.
    accept_commands : bool
        Take events and acknowledgements of alarms from the broker. Whoever may publish under this session's
        name can then write events into its journal.
    unfit_after : float
        For so long no window could be used before that is an alarm, s.
    home_assistant : bool
        Announce the session to Home Assistant over the same broker (MQTT discovery).
    overwrite : bool
        Replace a file of decisions (--out) that is there already.
    monitor : bool
        Show it in a browser as well, as "monitor" does; the address is printed.
    """
    from models.bundle import read_bundle
    from models.errors import HemostreamError
    from models.files.output_place import check_file
    from realtime.channels.side_file import OF_BUNDLE, read_side_file, side_file_of
    from realtime.session.interfaces import SessionSettings
    from realtime.sinks.journal.journal import next_run, read_open_alarms
    from realtime.sinks.jsonl import JsonLinesSink
    from realtime.sinks.mqtt.address import Address
    from realtime.sinks.mqtt.broker import NAME, EmbeddedBroker
    from realtime.sinks.mqtt.claim import claim
    from realtime.sinks.mqtt.home_assistant import announcement
    from realtime.sinks.mqtt.runs import free_run
    from realtime.sinks.mqtt.sink import MqttSink
    from realtime.sinks.mqtt.tls import PASSWORD_FILE
    from realtime.sources.lsl.source import HAEMODYNAMIC, StreamChoice
    from realtime.status import Status
    from tools.lsl_config import hide_lsl_information

    for option, value in {"--wait": wait, "--seconds": seconds, "--unfit-after": unfit_after}.items():
        if value is not None and not value > 0:
            raise HemostreamError(f"{option} is {value:g}; expected seconds, more than 0.")
    name = session or f"session-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    path = journal or Path(f"{name}.hemostream")
    if out is not None:
        check_decisions(out, overwrite=overwrite)
    check_file(path, "The journal", beside=True)
    bundle = read_bundle(model, model_hash)
    hide_lsl_information()
    choice = StreamChoice(
        predicate=HAEMODYNAMIC if stream is None else predicate(stream) or stream.strip(),
        number=number_of(stream) if stream else None,
        layout=read_side_file(layout) if layout else None,
        trained_layout=side_file_of(side, OF_BUNDLE) if (side := bundle.card.recording.side_file) else None,
        allow_replay=allow_replay,
        wait_s=wait,
        events=marker_predicate(events) if events else None,
    )
    existed = path.exists()
    run = next_run(path, name)
    address: Address | None = None
    if session is not None and broker is not None:
        address = Address.parse(broker, os.environ, allow_insecure=allow_insecure)
        run = run_async(
            free_run(address, name, run, on_trouble=print_trouble, protocol=protocol, take_over=take_over)
        )
    reached, environ, listen = broker, dict(os.environ), ""
    with contextlib.ExitStack() as stack:
        stack.enter_context(leaving_nothing())
        embedded: EmbeddedBroker | None = None
        if broker is None:
            embedded = stack.enter_context(EmbeddedBroker(on_trouble=print_trouble))
            broker = embedded.url_v5 if protocol == "5" else embedded.url
            # Subscribers choose their version: each has a port of its own.
            reached = f"{embedded.url} (MQTT 3.1.1) and {embedded.url_v5} (MQTT 5)"
            environ |= embedded.environ
            environ.pop(PASSWORD_FILE, None)
            listen = (
                f"subscribe with: {embedded.subscribe_command(f'hemostream/{name}/#')}\n"
                f"  (user {NAME}, password in {embedded.password_file}; only this account can read it)"
            )
        if monitor:
            from tools.monitor_process import monitor_beside

            shown = broker if embedded is None else embedded.url
            stack.enter_context(monitor_beside(shown, environ, allow_insecure=allow_insecure))
        sinks: list[Sink] = []
        if out is not None:
            sinks.append(stack.enter_context(JsonLinesSink(out)))
        if lsl_out:
            from realtime.sinks.lsl import LslSink

            labels = tuple(bundle.card.labels)
            outlet = LslSink(
                session=name,
                run=run,
                model=bundle.card.hash,
                evaluation=bundle.card.evaluation_line,
                labels=labels,
            )
            stack.callback(outlet.close)
            sinks.append(outlet)
        mqtt = MqttSink(
            broker,
            session=name,
            last_will=Status.lost(name, run).to_json(),
            on_trouble=print_trouble,
            protocol=protocol,
            allow_insecure=allow_insecure,
            environ=environ,
        )
        continues = f" (its journal goes on: run {run})" if run > 1 else ""
        say(f"session {name}{continues}, model {bundle.card.hash[:12]}, journal {path}, broker {reached}")
        if choice.layout is None and choice.trained_layout is not None:
            say("channels that the stream does not describe: by the side file of the bundle's training")
        if listen:
            print(listen, flush=True)  # a line to copy is not broken
        say(f"the model: {bundle.card.evaluation_line}; {bundle.card.labels_line}")
        view = None
        if sys.stdout.isatty() and not quiet:
            from tools.view import View

            view = stack.enter_context(View(f"hemostream · {name}", first_after_s=first_after(bundle)))
        session_made = bedside(
            bundle,
            choice,
            settings=SessionSettings(
                session=name,
                run=run,
                seconds=seconds,
                signals=signals,
                accept_commands=accept_commands,
                unfit_after_s=unfit_after,
                earlier_alarms=read_open_alarms(path),
                announcement=announcement(name, bundle.card) if home_assistant else None,
            ),
            journal=path,
            broker=mqtt,
            sinks=sinks,
            device=device,
            view=view,
        )
        before = None
        if address is not None and not take_over:
            before = claim(address, name, run, protocol=protocol)
        try:
            run_loop(session_made, before)
        finally:
            if not session_made.heard and not existed:
                remove_journal(path)
    kept = f"journal {path}" if path.exists() else "no stream came, so no journal is kept"
    with contextlib.suppress(OSError):  # the terminal may be gone
        say(f"{session_made.decisions} windows decided; {kept}")


def predicate(given: str) -> str | None:
    """An LSL predicate from what a person wrote; None for a number, which no predicate expresses."""
    from realtime.sources.stream_choice import predicate_of

    return predicate_of(given)


def marker_predicate(given: str) -> str:
    """An LSL predicate for a marker stream."""
    from models.errors import HemostreamError

    wanted = predicate(given)
    if wanted is None:
        raise HemostreamError(
            f"--events is {given!r}; expected the marker stream's name, source_id=... or uid=... "
            f"(name={given} where that is its name)."
        )
    return wanted


def number_of(given: str) -> int | None:
    """The number of a stream, where a person gave one."""
    from realtime.sources.stream_choice import By, parse

    wanted = parse(given)
    return int(wanted.value) if wanted.by is By.NUMBER else None
