"""A bundle and the code that runs live, over any recording: what ``hemostream classify`` does to each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from models.bundle import read_bundle
from models.cards.window_card import CardRecording
from models.errors import HemostreamError
from models.scan_bundle import is_scan_bundle, read_scan_bundle
from offline.base.remarks import show, show_remarks
from offline.recordings.as_trained import read_as_trained
from offline.samples.fingerprints import fingerprint_of_recording, learnt_from
from realtime.decision import Decision
from realtime.inference import Inference
from realtime.rerun import predict_journal, predict_recording
from realtime.scan import predict_scan, unlike_training
from realtime.sinks.journal.journal import is_journal
from realtime.sinks.jsonl import JsonLinesSink
from realtime.sources.recording import Recording
from tools.decision_counts import DecisionCounts, Truth, truth_by_events
from tools.outputs import whole_file

LEARNT_FROM = (
    "the model was trained on this recording, or on one that holds a part of its signal: what it predicts "
    "here says nothing about people whom it has not seen"
)


@dataclass(frozen=True)
class Classified:
    """Decisions of one recording, not yet taken, and what counts them.

    Parameters
    ----------
    decisions : iterator of Decision
        Computed as they are taken.
    counts : DecisionCounts
        To be given each.
    """

    decisions: Iterator[Decision]
    counts: DecisionCounts

    def write(self, out: Path) -> None:
        """Write the decisions to a file, which appears when it is whole."""
        # What cannot be classified at all shows at the first window: before anything is written.
        first = next(self.decisions, None)
        with whole_file(out) as part, JsonLinesSink(part) as lines:
            for decision in chain(() if first is None else (first,), self.decisions):
                lines.publish(decision.to_json())
                self.counts.add(decision)


class Classifier:
    """A bundle, read once.

    Parameters
    ----------
    model : Path
        Bundle folder, of windows or of scans.
    model_hash : str or None
        The hash that it must have.
    device : str
        cuda, mps, cpu, or auto.
    report : callable of str
        Takes what of a journal is not classified.
    options : mapping
        Of `read_recording`; those that are None are as the card has them.

    Raises
    ------
    BundleError
        It cannot be read, or is another.
    """

    def __init__(
        self,
        model: Path,
        model_hash: str | None,
        *,
        device: str,
        report: Callable[[str], None],
        **options: Any,
    ) -> None:
        self._model, self._report, self._options = model, report, options
        self._scans = read_scan_bundle(model, model_hash) if is_scan_bundle(model) else None
        self._windows = None if self._scans is not None else read_bundle(model, model_hash)
        self._inference = None if self._windows is None else Inference(self._windows, device=device)
        card = (self._scans or self._windows).card  # type: ignore[union-attr]
        self.labels = tuple(card.labels)
        self.worth = f"{card.evaluation_line}; {card.labels_line}"
        """What the bundle was worth on unseen people, and which labels it shows."""
        self._training: Mapping[str, Any] = card.training
        self._how = CardRecording() if self._windows is None else self._windows.card.recording

    @property
    def of(self) -> str:
        """What is decided of: ``window`` or ``scan``."""
        return "window" if self._scans is None else "scan"

    @property
    def device_name(self) -> str:
        """Where it is computed."""
        return "cpu" if self._inference is None else self._inference.device_name

    @property
    def of_regions(self) -> bool:
        """Whether it takes region series rather than optodes."""
        if self._windows is None:
            return True
        return all(channel.get("kind") == "bold" for channel in self._windows.card.input["channels"])

    def classify(self, path: Path) -> Classified:
        """Read a recording as those of the training were, and predict it.

        Parameters
        ----------
        path : Path
            A recording, or the journal of a session.

        Raises
        ------
        HemostreamError
            It cannot be read, or not be predicted by this bundle.
        """
        truth: Truth | None = None
        if is_journal(path):
            if self._windows is None or self._inference is None:
                raise HemostreamError(
                    f"{self._model} predicts whole scans, and {path} is the journal of a session; give a "
                    "file of region series."
                )
            decisions = predict_journal(path, self._windows, self._inference, report=self._report)
            return Classified(decisions, DecisionCounts())
        found = self._read(path)
        if self._scans is not None:
            decision = predict_scan(found, self._scans, session=path.stem)
            show([f"{path.name}: {each}" for each in unlike_training(decision)])
            decisions = iter([decision])
        else:
            assert self._windows is not None
            assert self._inference is not None
            truth = truth_by_events(self._training, found)
            decisions = predict_recording(found, self._windows, self._inference, session=path.stem)
        return Classified(decisions, DecisionCounts(truth))

    def _read(self, path: Path) -> Recording:
        found = read_as_trained(path, self._how, **self._options)
        show_remarks(found, path)
        if learnt_from(self._training, fingerprint_of_recording(found)) is not None:
            show([f"{path.name}: {LEARNT_FROM}"])
        return found
