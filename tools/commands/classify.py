"""``hemostream classify``: the live path over a file."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import HemostreamError
from models.outside import printable
from tools.messages import say
from tools.outputs import Out, check_decisions, whole_file

if TYPE_CHECKING:
    from realtime.decision import Decision
    from realtime.sources.recording import Recording


LEARNT_FROM = (
    "the model was trained on this recording, or on one that holds a part of its signal: what it predicts "
    "here says nothing about people whom it has not seen"
)


def classify(
    recording: Path,
    *,
    model: Path,
    out: Out,
    model_hash: str | None = None,
    layout: Path | None = None,
    length_unit: str | None = None,
    haemoglobin_unit: str | None = None,
    repetition_time: float | None = None,
    stream: str | None = None,
    allow_damaged: bool = False,
    device: str = "auto",
    overwrite: bool = False,
) -> None:
    """Classify a recording by the very code that runs live.

    The journal of a live session is classified with the chunk boundaries and clock readings that it
    holds, and gives the session's decisions byte for byte.  Runs of another bundle, and what follows
    on entries that the journal lacks by its own account, are left out and reported.

    A recording is read as those of the training were (the bundle keeps the recipe's [input]); the options
    below go before.

    A bundle of "study export" predicts a whole scan at once: its one decision is of a window as long as
    the scan, or an abstention that says what the scan lacks.

    Parameters
    ----------
    recording : Path
        SNIRF, NIRx folder, Homer .nirs, XDF, region series (.1D, .tsv), or a journal.
    model : Path
        Bundle folder, as "train" or "study export" writes it.
    out : Path
        File of decisions to write, one JSON object a line.
    model_hash : str
        The bundle must have this hash (12 digits or more).
    layout : Path
        Side file (JSON) that says what the channels are, for recordings that do not; its form is described
        in realtime/channels/montage.py.
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
    overwrite : bool
        Replace a file of decisions that is there already.
    """
    check_decisions(out, overwrite=overwrite)

    from models.bundle import read_bundle
    from models.card import CardRecording
    from models.scan_bundle import is_scan_bundle, read_scan_bundle
    from offline.base.remarks import show, show_remarks
    from offline.recordings.as_trained import read_as_trained
    from offline.samples.fingerprints import fingerprint_of_recording, learnt_from
    from realtime.inference import Inference, one_thread
    from realtime.rerun import predict_journal, predict_recording
    from realtime.scan import predict_scan
    from realtime.sinks.journal.journal import is_journal
    from tools.decision_counts import DecisionCounts, Truth, truth_by_events

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

    where, of = "cpu", "window"
    training: Mapping[str, Any] = {}
    truth: Truth | None = None
    how = CardRecording()
    if is_scan_bundle(model):
        of = "scan"
        scan_bundle = read_scan_bundle(model, model_hash)
        training = scan_bundle.card.training
        if is_journal(recording):
            raise HemostreamError(
                f"{model} predicts whole scans, and {recording} is the journal of a session; give a file of "
                "region series."
            )
        decisions: Iterator[Decision] = iter([predict_scan(read(), scan_bundle, session=recording.stem)])
    else:
        bundle = read_bundle(model, model_hash)
        training, how = bundle.card.training, bundle.card.recording
        inference = Inference(bundle, device=device)
        where = inference.device_name
        if is_journal(recording):
            decisions = predict_journal(recording, bundle, inference, report=tell)
        else:
            found = read()
            truth = truth_by_events(training, found)
            decisions = predict_recording(found, bundle, inference, session=recording.stem)
    counts = DecisionCounts(truth)
    write_decisions(decisions, out, counts.add)
    if not counts.labels and not counts.abstained:
        say(f"hemostream: {recording} holds nothing as long as a window.", error=True)
    say(f"{counts.summary(of)}, on {where}.")
    if against := counts.against_events():
        say(against)
    say(f"Decisions: {out}")


def write_decisions(decisions: "Iterator[Decision]", out: Path, count: "Callable[[Decision], None]") -> None:
    """Write decisions to a file, which appears when it is whole.

    Parameters
    ----------
    decisions : iterator of Decision
        Computed as they are taken.
    out : Path
        The file.
    count : callable
        Called with each.
    """
    from realtime.sinks.jsonl import JsonLinesSink

    # What cannot be classified at all shows at the first window: before anything is written.
    first = next(decisions, None)
    with whole_file(out) as part, JsonLinesSink(part) as lines:
        for decision in chain(() if first is None else (first,), decisions):
            lines.publish(decision.to_json())
            count(decision)


def tell(what: str) -> None:
    """Tell, on the error stream, what of a journal is not classified."""
    say(f"hemostream: {printable(what, None, lines=True)}", error=True)
