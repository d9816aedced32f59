"""A new person's labelled minutes as a bundle sees them: replayed by its pipeline, labelled by its rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.cards.window_card import WindowCard
from models.errors import BundleError, HemostreamError, RecipeError, RecordingError
from models.networks.parts.montage import Montage
from offline.base.sample_table import SampleTable
from offline.base.window_store import KeptWindows
from offline.samples.blocks import LabelBlock, holding
from offline.samples.fingerprints import Fingerprint, fingerprint_of_recording
from offline.samples.recipe_labels import Labels
from offline.samples.replay import replay
from offline.samples.samples import kept_of
from offline.training.adaptation import blocks_by_label, blocks_of
from realtime.plan import Plan
from realtime.sources.recording import Recording
from realtime.windows import Window


@dataclass(frozen=True, eq=False)
class Minutes:
    """Labelled windows of one person, as a bundle sees them.

    Parameters
    ----------
    X : (n_windows, n_channels, n_samples) float32
        The windows.
    y, block : (n_windows,) int64
        Their labels, and numbers of their blocks in order of time.
    labels : tuple of str
        Of the bundle.
    seconds : float
        From the first labelled window's start to the last one's end, summed over recordings, s.
    signals : tuple of Fingerprint
        One a recording.
    montage : Montage or None
        Where the channels are, where they are not those that the bundle was trained on.
    """

    X: KeptWindows
    y: npt.NDArray[np.int64]
    block: npt.NDArray[np.int64]
    labels: tuple[str, ...]
    seconds: float
    signals: tuple[Fingerprint, ...]
    montage: Montage | None = None

    @property
    def windows_by_label(self) -> dict[str, int]:
        """How many windows each label has."""
        found = np.bincount(self.y, minlength=len(self.labels)).tolist()
        return dict(zip(self.labels, found, strict=True))

    @property
    def blocks(self) -> dict[str, int]:
        """How many blocks each label has."""
        return dict(zip(self.labels, blocks_by_label(self.y, self.block, len(self.labels)), strict=True))


def label_rules(card: WindowCard) -> Labels:
    """How a bundle's recipe labels windows.

    Raises
    ------
    BundleError
        Its labels do not come from events, or the card does not know them.
    """
    if "labels" not in card.training:
        raise BundleError("The bundle's card does not know how windows are labelled. Train it again.")
    labels = Labels.model_validate(card.training["labels"])
    if labels.source != "events":
        raise BundleError(
            f"The bundle's labels stand in the column {labels.column!r} of a cohort's table, so a person's "
            "own minutes do not hold them; expected labels from events. Train further on new people instead: "
            "hemostream train --from."
        )
    return labels


def minutes_of(recordings: Sequence[tuple[str, Recording]], card: WindowCard, labels: Labels) -> Minutes:
    """Replay recordings through a bundle's pipeline, and label their windows.

    Parameters
    ----------
    recordings : sequence of (str, Recording)
        All of one person, with what to call each.
    card : WindowCard
        Of the bundle.
    labels : Labels
        Its rules.

    Raises
    ------
    HemostreamError
        A recording cannot be replayed, or none gives a labelled window: the message says what was lost.
    """
    plan = Plan.from_card(card)
    tables: list[SampleTable] = []
    parts: list[KeptWindows] = []
    lost: Counter[str] = Counter()
    signals, seconds, found = [], 0.0, set()
    montages: dict[bytes, Montage | None] = {}
    for place, (name, recording) in enumerate(recordings):
        try:
            replayed = replay(recording, plan)
            blocks = labels.blocks(recording.events)
            own = [(w, holding(blocks, w.start, w.end)) for w in replayed.usable]
        except HemostreamError as error:
            raise type(error)(f"Recording {name}: {error}") from error
        kept = [(window, number) for window, number in own if number is not None]
        for window in replayed.windows:
            lost.update(dict.fromkeys(map(str, window.reasons), window.count))
        lost["outside labels' intervals"] += len(own) - len(kept)
        found |= {event.label for event in recording.events}
        signals.append(fingerprint_of_recording(recording))
        if kept:
            windows = [window for window, _ in kept]
            its = windows[0].montage
            montages[b"" if its is None else its.key] = its
            parts.append(kept_of(windows, card.rate))
            tables.append(_table(f"{place:04d}", kept, blocks, plan.labels))
            seconds += windows[-1].end - windows[0].start
    if not parts:
        reasons = ", ".join(f"{n} {why}" for why, n in lost.most_common() if n) or "no window at all"
        raise RecipeError(
            f"No usable window of the new person has a label. The bundle's labels begin at events "
            f"{', '.join(map(repr, sorted(labels.events)))}; the recordings have "
            f"{', '.join(map(repr, sorted(found))) or 'none'}. Lost: {reasons}."
        )
    if len(montages) > 1:
        raise RecordingError(
            f"The recordings have {len(montages)} montages; expected one, for the minutes are learnt from "
            "together. Give those of one montage."
        )
    table = SampleTable.concatenate(tables)
    return Minutes(
        KeptWindows.concatenate(parts),
        table.target,
        blocks_of(table),
        plan.labels,
        seconds,
        tuple(signals),
        *montages.values(),
    )


def _table(
    name: str, kept: Sequence[tuple[Window, int]], blocks: Sequence[LabelBlock], labels: tuple[str, ...]
) -> SampleTable:
    n = len(kept)
    return SampleTable(
        recording=np.full(n, name),
        person=np.full(n, "new"),
        session=np.full(n, name),
        site=np.full(n, ""),
        start=np.array([window.start for window, _ in kept]),
        stop=np.array([window.end for window, _ in kept]),
        target=np.array([labels.index(blocks[number].label) for _, number in kept], dtype=np.int64),
        block=np.array([number for _, number in kept], dtype=np.int64),
    )
