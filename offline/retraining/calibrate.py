"""A few labelled minutes of a new person move a bundle to them: `hemostream calibrate`.

The minutes are replayed through the bundle's own pipeline and labelled by its own rules, which its card
holds; the last layer is moved (`offline.training.adaptation`), and the new bundle is one like any other,
which descends from the old.  Of the person its card keeps a salted hash at most.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.bundle import read_bundle, write_bundle
from models.bundle_files import check_target
from models.card import CardEvidence, WindowCard
from models.errors import BundleError, HemostreamError, RecipeError, RecordingError
from models.networks.parts.montage import Montage
from models.networks.virtual_probe import montage_in, placed
from offline.base.people_hash import person_hash
from offline.base.remarks import show_remarks
from offline.base.sample_table import SampleTable
from offline.base.versions import versions
from offline.base.window_store import KeptWindows
from offline.recordings.as_trained import read_as_trained
from offline.recordings.bids import with_events
from offline.retraining.locked import refuse_locked
from offline.samples.blocks import LabelBlock, holding
from offline.samples.fingerprints import (
    Fingerprint,
    alike_pairs,
    fingerprint_of_recording,
    learnt_from,
    signals_for_card,
)
from offline.samples.recipe_labels import Labels
from offline.samples.replay import replay
from offline.samples.samples import kept_of
from offline.training.adaptation import Adapted, adapt, adapted_json, blocks_by_label, blocks_of
from realtime.plan import Plan
from realtime.sources.recording import Recording
from realtime.windows import Window

NOT_EVALUATED = "not evaluated after calibration"


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


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A bundle that was written: its hash, its card but for the hash, and what it came from."""

    hash: str
    card: WindowCard
    minutes: Minutes
    adapted: Adapted


def calibrate(
    bundle_path: str | Path,
    recordings: Sequence[str | Path],
    out: str | Path,
    *,
    event_table: str | Path | None = None,
    person: str | None = None,
    **options: Any,
) -> Calibrated:
    """Move a bundle to a new person, and write it.

    Parameters
    ----------
    bundle_path, out : path
        The old one, which stays as it is, and the new one's folder.
    recordings : sequence of path
        The person's labelled minutes: recordings, or journals of sessions with markers; all of one person.
    event_table : path or None
        Table of events (BIDS: onset, trial_type) in place of the one recording's own.
    person : str or None
        Their code, of which a salted hash is kept; None keeps nothing.
    options
        Of `read_recording`; those that are None are as the card has them.

    Raises
    ------
    HemostreamError
        Whatever is wrong with bundle, recordings or folder; the bundle's labels are not of events; it has
        learnt from these recordings, or the person is locked for it; a signal is given twice; there are too
        few blocks of a label.
    """
    if Path(out).resolve() == Path(bundle_path).resolve():
        raise RecipeError(f"{out} is the old bundle itself, which must stay. Give another folder.")
    if event_table is not None and len(recordings) != 1:
        raise RecipeError(
            f"An event table belongs to one recording; {len(recordings)} were given. Put a table beside "
            "each (NAME_events.tsv), or calibrate by one."
        )
    check_target(out)
    old = read_bundle(bundle_path)
    labels = label_rules(old.card)
    if person is not None:
        refuse_locked(old.card.training, [person])
    read = []
    for path in map(Path, recordings):
        found = read_as_trained(path, old.card.recording, **options)
        if event_table is not None:
            found = _with_table(found, Path(event_table))
        show_remarks(found, path)
        read.append((path.name, found))
    minutes = minutes_of(read, old.card, labels)
    for (name, _), signal in zip(read, minutes.signals, strict=True):
        if learnt_from(old.card.training, signal) is not None:
            raise RecordingError(
                f"{name}: the bundle has learnt from this signal already; expected minutes that are new to "
                "it. To calibrate by more minutes, start from the bundle before it, and give all."
            )
    for a, b, its in alike_pairs(minutes.signals):
        raise RecordingError(
            f"{read[a][0]} and {read[b][0]} hold the same signal ({its.samples} samples); expected each of "
            "the person's minutes once, for blocks are held out in turn. Give one of the two."
        )
    network = old.network
    if minutes.montage is not None:
        network = placed(network, minutes.montage)
    adapted = adapt(
        network,
        minutes.X,
        minutes.y,
        minutes.block,
        labels=minutes.labels,
        temperature=old.card.calibration.temperature,
    )
    card = _card(old.card, minutes, adapted, person)
    if minutes.montage is not None:  # back onto the one that the card describes
        adapted = replace(adapted, network=placed(adapted.network, montage_in(old.network)))
    return Calibrated(write_bundle(out, card, adapted.network), card, minutes, adapted)


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


def _with_table(recording: Recording, table: Path) -> Recording:
    found = with_events(recording, table)
    if found.events is recording.events:
        raise RecordingError(f"{table}: expected columns 'onset' (s from the first sample) and 'trial_type'.")
    return found


def _card(old: WindowCard, minutes: Minutes, adapted: Adapted, person: str | None) -> WindowCard:
    """The old card, and where the new bundle comes from.

    Where weights moved, nothing of the old evaluation: what the new ones are worth on unseen people, and how
    their windows add up, is not known.
    """
    training = dict(old.training)
    salt = str(training["people_salt"])
    calibrated = {
        **adapted_json(adapted),
        "windows": minutes.windows_by_label,
        "blocks": minutes.blocks,
        "minutes": round(minutes.seconds / 60.0, 2),
        "recordings": len(minutes.signals),
        "parent": old.hash,
        "person_hash": None if person is None else person_hash(salt, person),
        "evaluation": NOT_EVALUATED,
    }
    people = {*training["people_hashes"], *([] if person is None else [person_hash(salt, person)])}
    training |= {
        "from": old.hash,
        "people_hashes": sorted(people),
        "signals": sorted({*training.get("signals", ()), *signals_for_card(minutes.signals, salt)}),
        "calibrated": calibrated,
    }
    moved: dict[str, Any] = {}
    if adapted.moved:
        moved = {"unseen": None, "evidence": CardEvidence(memory_s=old.evidence.memory_s)}
    return old.model_copy(
        update={
            **moved,
            "training": training,
            "evaluation": {},
            "versions": versions(),
            "weights_sha256": "",
            "hash": "",
        }
    )
