"""``hemostream classify``: the live path over a file."""

import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from models.errors import HemostreamError
from models.outside import printable

if TYPE_CHECKING:
    from realtime.decision import Decision
    from realtime.sources.recording import Recording


LEARNT_FROM = (
    "the model has learnt from this recording, or from one that holds a part of its signal: what it makes of "
    "it says nothing about people whom it has not seen"
)


def classify(
    recording: Path,
    *,
    model: Path,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    model_hash: str | None = None,
    layout: Path | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    allow_damaged: bool = False,
    device: str = "auto",
) -> None:
    """Classify a recording by the very code that runs live.

    The journal of a live session is judged with the chunk boundaries and clock readings that stand
    in it, and gives the session's decisions byte for byte.  Runs of another bundle, and what follows
    on entries that the journal says it lacks, are left out and told.

    A recording is read as those of the training were (the bundle keeps the recipe's [input]); the options
    below go before.

    A bundle of "study export" judges a whole scan at once: its one decision is of a window as long as
    the scan, or an abstention that says what the scan lacks.

    Parameters
    ----------
    recording : Path
        SNIRF, NIRx folder, Homer .nirs, XDF, region series (.1D, .tsv), or a journal.
    model : Path
        Bundle folder, as "train" or "study export" writes it.
    out : Path
        Decisions, one JSON object a line.
    model_hash : str
        The bundle must have this hash (12 digits or more).
    layout : Path
        Side file (JSON) that says what the channels are, for recordings that do not; its form is told in
        realtime/channels/montage.py.
    length_unit : str
        Unit of optode positions (m, cm or mm) where the file's own is wrong.
    haemoglobin_unit : str
        Unit of concentrations (umol/L, uM ...) where a SNIRF file does not say it, or wrongly.
    repetition_time : float
        Seconds between volumes of a region series.
    stream : str
        Which stream of an XDF file that holds several: its name, source_id, uid, number, or a predicate
        such as "source_id='42'". Of a SNIRF file which measurement, for instance nirs2.
    allow_damaged : bool
        Take what is left of a file of which much cannot be read.
    device : str
        cuda, mps, cpu, or auto.
    """
    from models.bundle import read_bundle
    from models.card import CardRecording
    from models.scan_bundle import is_scan_bundle, read_scan_bundle
    from offline.base.remarks import show, show_remarks
    from offline.recordings.as_trained import read_as_trained
    from offline.samples.fingerprints import fingerprint_of_recording, learnt_from
    from realtime.inference import Inference, one_thread
    from realtime.rerun import judge_journal, judge_recording
    from realtime.scan import judge_scan
    from realtime.sinks.journal.journal import is_journal
    from realtime.sinks.jsonl import JsonLinesSink
    from tools.out_file import may_hold_decisions

    may_hold_decisions(out)
    one_thread()

    def read() -> "Recording":
        found = read_as_trained(
            recording,
            how,
            layout=layout,
            length_unit=length_unit,
            haemoglobin_unit=haemoglobin_unit,
            repetition_time=repetition_time,
            stream=stream,
            allow_damaged=allow_damaged,
        )
        show_remarks(found, recording)
        if learnt_from(training, fingerprint_of_recording(found)) is not None:
            show([f"{recording.name}: {LEARNT_FROM}"])
        return found

    where = "cpu"
    training: Mapping[str, Any] = {}
    how = CardRecording()
    if is_scan_bundle(model):
        scan_bundle = read_scan_bundle(model, model_hash)
        training = scan_bundle.card.training
        if is_journal(recording):
            raise HemostreamError(
                f"{model} judges whole scans, and {recording} is the journal of a session; give a file of "
                "region series."
            )
        decisions: Iterator[Decision] = iter([judge_scan(read(), scan_bundle, session=recording.stem)])
    else:
        bundle = read_bundle(model, model_hash)
        training, how = bundle.card.training, bundle.card.recording
        inference = Inference(bundle, device=device)
        where = inference.device_name
        if is_journal(recording):
            decisions = judge_journal(recording, bundle, inference, told=tell)
        else:
            decisions = judge_recording(read(), bundle, inference, session=recording.stem)
    judged = abstained = 0
    why: tuple[str, ...] = ()
    # What cannot be judged at all shows at the first window: before an earlier file is replaced.
    first = next(decisions, None)
    with JsonLinesSink(out) as lines:
        for decision in chain(() if first is None else (first,), decisions):
            lines.publish(decision.to_json())
            if decision.abstained:
                abstained += decision.count
                why = decision.reasons
            else:
                judged += decision.count
    if first is None:
        print(f"hemostream: {recording} holds nothing as long as a window.", file=sys.stderr)
    # Of a whole scan there is one decision, and so one why.
    said = f" ({', '.join(why)})" if why and is_scan_bundle(model) else ""
    of = "scans" if is_scan_bundle(model) else "windows"
    print(f"{judged} {of} judged, {abstained} abstained{said}, on {where}: {out}")


def tell(what: str) -> None:
    """Tell, on the error stream, what of a journal is not judged."""
    print(f"hemostream: {printable(what, None, lines=True)}", file=sys.stderr)
