"""A few labelled minutes of a new person move a bundle to them: `hemostream calibrate`.

The minutes are replayed through the bundle's own pipeline and labelled by its own rules, which its card
holds; the last layer is moved (`offline.training.adaptation`), and the new bundle is one like any other,
which descends from the old.  Of the person its card keeps a salted hash at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.bundle import read_bundle, write_bundle
from models.bundle_files import check_target
from models.cards.window_card import CardEvidence, WindowCard
from models.errors import RecipeError, RecordingError
from models.networks.virtual_probe import montage_in, placed
from offline.base.people_hash import person_hash
from offline.base.remarks import show_remarks
from offline.base.versions import versions
from offline.recordings.as_trained import read_as_trained
from offline.recordings.bids import with_events
from offline.retraining.labelled_minutes import Minutes, label_rules, minutes_of
from offline.retraining.locked import refuse_locked
from offline.samples.fingerprints import alike_pairs, learnt_from, signals_for_card
from offline.training.adaptation import Adapted, adapt, adapted_json
from realtime.sources.recording import Recording

NOT_EVALUATED = "not evaluated after calibration"


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
