"""``hemostream classify``: the live path over recordings."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import HemostreamError
from models.outside import printable
from tools.messages import say
from tools.outputs import Out, check_decisions, check_report, whole_file

if TYPE_CHECKING:
    from tools.classifier import Classifier

TABLE = "table.tsv"
"""The table of results of several recordings."""
LONGEST_STEM = 100
"""Characters of a recording's name that its decisions' file takes over."""


def classify(
    *recording: Path,
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
    """Classify recordings by the very code that runs live.

    The journal of a live session is classified with the chunk boundaries and clock readings that it
    holds, and gives the session's decisions byte for byte.  Runs of another bundle, and what follows
    on entries that the journal lacks by its own account, are left out and reported.

    A recording is read as those of the training were (the bundle keeps the recipe's [input]); the options
    below go before.

    Several recordings, or a folder of them, are classified in one call: --out is then a folder of one file of
    decisions each and a table of results, table.tsv. One that cannot be read does not stop the others.

    A bundle of "study export" predicts a whole scan at once: its one decision is of a window as long as
    the scan, or an abstention that says what the scan lacks.

    Parameters
    ----------
    recording : Path
        SNIRF, NIRx folder, Homer .nirs, XDF, region series (.1D, .tsv), or a journal; several, or a folder of
        such.
    model : Path
        Bundle folder, as "train" or "study export" writes it.
    out : Path
        File of decisions to write, one JSON object a line; with several recordings a folder.
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
        Replace decisions that are there already.
    """
    if not recording:
        raise HemostreamError("There is no recording to classify; expected one or more, or a folder of them.")
    several = len(recording) > 1 or (recording[0].is_dir() and not _one(recording[0]))
    if several:
        check_report(out, overwrite=overwrite, page=TABLE)
    else:
        check_decisions(out, overwrite=overwrite)

    from offline.recordings.in_folder import recordings_in
    from realtime.inference import one_thread
    from tools.classifier import Classifier

    one_thread()
    classifier = Classifier(
        model,
        model_hash,
        device=device,
        report=tell,
        layout=layout,
        length_unit=length_unit,
        haemoglobin_unit=haemoglobin_unit,
        repetition_time=repetition_time,
        stream=stream,
        allow_damaged=allow_damaged,
    )
    if several:
        found = recordings_in(recording, series=classifier.of_regions)
        _classify_all(found, classifier, out, overwrite=overwrite)
        return
    done = classifier.classify(recording[0])
    done.write(out)
    if not done.counts.labels and not done.counts.abstained:
        say(f"hemostream: {recording[0]} holds nothing as long as a window.", error=True)
    say(f"{done.counts.summary(classifier.of)}, on {classifier.device_name}.")
    if against := done.counts.against_events():
        say(against)
    say(f"The model: {classifier.worth}.")
    say(f"Decisions: {out}")


def _one(folder: Path) -> bool:
    from offline.recordings.in_folder import is_nirx

    return is_nirx(folder)


def _classify_all(recordings: list[Path], classifier: "Classifier", out: Path, *, overwrite: bool) -> None:
    """Each into a file of its own, and all into a table; what an earlier run wrote and this does not, goes.

    Raises
    ------
    HemostreamError
        Some could not be classified; after all others were.
    """
    from offline.base.progress import shown

    names, earlier = _file_names(recordings), _earlier(out / TABLE)
    for name in (*names, *earlier) if out.is_dir() else ():
        check_decisions(out / name, overwrite=overwrite)
    out.mkdir(parents=True, exist_ok=True)
    for name in earlier:
        (out / name).unlink(missing_ok=True)
    failed = 0
    with shown(None) as progress, whole_file(out / TABLE) as part, part.open("w", encoding="utf-8") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        means = [f"p({label})" for label in classifier.labels]
        counted = ("classified", "abstained", "reasons", "right", "known")
        table.writerow(["recording", "decisions", "label", *means, *counted, "error"])
        for number, (path, name) in enumerate(zip(recordings, names, strict=True)):
            shown_as = printable(str(path), None)
            progress("classify", number, len(recordings), printable(path.name))
            try:
                done = classifier.classify(path)
                done.write(out / name)
            except Exception as error:  # noqa: BLE001 - one that fails does not stop the others
                failed += 1
                why = str(error) or type(error).__name__
                tell(why if str(path) in why else f"{path}: {why}")
                table.writerow([shown_as, *[""] * (len(means) + 7), printable(" ".join(why.split()), None)])
                continue
            table.writerow([shown_as, name, *done.counts.row(classifier.labels), ""])
        progress("classify", len(recordings), len(recordings), "")
    say(
        f"{len(recordings) - failed} of {len(recordings)} recordings classified, on {classifier.device_name}."
    )
    say(f"The model: {classifier.worth}.")
    say(f"Table: {out / TABLE}")
    if failed:
        raise HemostreamError(
            f"{failed} of {len(recordings)} recordings could not be classified; their rows in {out / TABLE} "
            "say why."
        )


def _earlier(table: Path) -> list[str]:
    """Files of decisions that an earlier table names."""
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", errors="replace", newline="") as file:
        named = [row.get("decisions") or "" for row in csv.DictReader(file, delimiter="\t")]
    return [name for name in named if name.endswith(".jsonl") and Path(name).name == name]


def _file_names(recordings: list[Path]) -> list[str]:
    """A name for each one's decisions: its own, with a number where two are alike."""
    names: dict[str, str] = {}  # by their form in a file system that knows no case
    for path in recordings:
        stem = printable(path.stem, LONGEST_STEM)
        name, number = f"{stem}.jsonl", 1
        while name.casefold() in names:
            number += 1
            name = f"{stem}-{number}.jsonl"
        names[name.casefold()] = name
    return list(names.values())


def tell(what: str) -> None:
    """Tell, on the error stream, what is not classified."""
    say(f"hemostream: {printable(what, None, lines=True)}", error=True)
