"""What a bundle's card says of its training: everything but who, in keyed hashes."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.cards.window_card import (
    Calibration,
    CardEvidence,
    CardRecording,
    ModelSpec,
    RecordingOptions,
    WindowCard,
)
from offline.base.cohort import Cohort
from offline.base.people_hash import person_hash
from offline.base.versions import versions
from offline.samples.fingerprints import signals_for_card
from offline.samples.novelty import fit_novelty
from offline.samples.recipe import Recipe
from offline.samples.recipe_sections import Input
from offline.samples.sample_account import blocks_lost
from offline.samples.samples import Samples
from offline.samples.span import Span
from offline.training.pretrained import read_encoder
from offline.training.train import Trained
from offline.training.unseen import Evaluated
from offline.training.validation import ValidationKind
from realtime.channels.montage import read_json


@dataclass(frozen=True)
class Descent:
    """What a bundle takes over from the one that it was trained from.

    Parameters
    ----------
    parent : str
        That one's hash.
    salt : str
        By which people are hashed, the same along the line.
    locked, people : frozenset of str
        Hashes of those who are locked, and of all who were ever learnt from.
    signals : tuple of str
        Of the recordings that were learnt from (`offline.samples.fingerprints`).
    """

    parent: str
    salt: str
    locked: frozenset[str]
    people: frozenset[str]
    signals: tuple[str, ...] = ()


def card_of(
    samples: Samples,
    recipe: Recipe,
    cohort: Cohort,
    trained: Trained,
    span: Span | None = None,
    *,
    locked: Sequence[str] = (),
    descent: Descent | None = None,
    evaluated: Evaluated | None = None,
) -> WindowCard:
    """The card of a trained network, without personal data.

    Of a network, what it was trained on (a span of each recording) and where that comes from; ``locked``
    people were set aside for comparisons, ``descent`` is from where it was trained further, and ``evaluated``
    what an evaluation of the same says of unseen people.
    """
    table, split, montages = samples.table, trained.validation, samples.montages
    cohort_hash = cohort.content_hash()
    novelty, how_novel = fit_novelty(samples.feature_summary)
    salt = hashlib.sha256(f"{cohort_hash}:{recipe.hash}:people".encode()).hexdigest()[:32]
    if descent is not None:
        salt = descent.salt

    def hashes(people: Iterable[str]) -> list[str]:
        return sorted({person_hash(salt, person) for person in people})

    calibrated = table.person[split.validation].tolist() if split.kind is ValidationKind.PEOPLE else []
    recordings = set(table.recording.tolist())
    learnt = [each.fingerprint for each in samples.signals if each.recording in recordings]
    evidence = CardEvidence() if evaluated is None else evaluated.evidence
    aside = hashes(locked) if descent is None else sorted(descent.locked)
    return WindowCard(
        model=ModelSpec(
            kind=trained.kind,
            params=trained.params,
            n_chans=samples.X.shape[1] if montages is None else len(montages.first),
            n_times=samples.X.shape[2],
            n_outputs=len(samples.labels),
        ),
        input=samples.spec.to_json(),
        recording=recording_options(recipe.input, cohort),
        pipeline=[dict(stage) for stage in recipe.pipeline],
        rate=samples.rate,
        window=recipe.window,
        labels=list(samples.labels),
        calibration=Calibration(temperature=trained.temperature),
        policy=recipe.policy.model_dump(),
        evidence=evidence.model_copy(update={"memory_s": recipe.evidence.memory_s}),
        unseen=None if evaluated is None else evaluated.unseen,
        novelty=novelty.to_json(),
        montages=None if montages is None else montages.served(recipe),
        training={
            "recipe": recipe.name,
            "recipe_hash": recipe.hash,
            "cohort_hash": cohort_hash,
            "target": recipe.labels.target,
            "labels": recipe.labels.model_dump(mode="json"),
            "people": len(table.people),
            "people_by_label": _people_by_label(samples),
            "people_salt": salt,
            "people_hashes": hashes(table.people),
            "calibration_people_hashes": hashes(calibrated),
            "locked_people_hashes": aside,
            "ancestors_people_hashes": [] if descent is None else sorted(descent.people),
            "signals": sorted({*signals_for_card(learnt, salt), *(descent.signals if descent else ())}),
            "from": None if descent is None else descent.parent,
            "recordings": len(recordings),
            "span": None if span is None else [span.start, span.stop, "fraction" if span.fraction else "s"],
            "windows": {
                "train": _by_label(samples, split.train),
                "validation": _by_label(samples, split.validation),
            },
            "remarks": list(samples.unnamed),
            "windows_lost": _lost(samples),
            "blocks": sum(sum(account.blocks.values()) for account in samples.accounts),
            "blocks_lost": blocks_lost(samples.accounts),
            "seconds_lost": [round(account.lost_s, 3) for account in samples.accounts],
            "pretrained": _pretrained(recipe),
            "channel_dropout": recipe.training.channel_dropout,
            "novelty": how_novel,
            "seed": trained.seed,
            "epochs": len(trained.fitted.history),
            "best_epoch": trained.fitted.best_epoch,
            "stopped_early": trained.fitted.stopped_early,
            "validation": str(split.kind),
            "temperature": _calibrated(trained),
            "model": recipe.model.kind,
            "how": dict(trained.how),
        },
        versions=versions(),
    )


def recording_options(wanted: Input, cohort: Cohort) -> CardRecording:
    """How the recordings of a training are read, for whoever reads others for the same bundle.

    Whether damaged ones are taken is asked for each recording.
    """
    side = None if wanted.layout is None else read_json(cohort.path.parent / wanted.layout)
    return CardRecording(**wanted.model_dump(include=set(RecordingOptions.model_fields)), side_file=side)


def _people_by_label(samples: Samples) -> dict[str, int]:
    """How many people have windows of each label."""
    table = samples.table
    return {label: len(np.unique(table.person[table.target == i])) for i, label in enumerate(samples.labels)}


def _calibrated(trained: Trained) -> str:
    if "choice" in trained.how:
        return "fitted on training people held out in turn"
    return "fitted on the validation windows" if len(trained.validation.validation) else "not fitted"


def _pretrained(recipe: Recipe) -> dict[str, Any] | None:
    """What the encoder began with: which file, and whose recordings it had seen, without labels."""
    asked = recipe.training.pretrained
    if asked is None:
        return None
    facts = read_encoder(asked).facts
    kept = ("people", "people_salt", "people_hashes", "signals", "cohort_hashes", "windows", "loss", "chance")
    return {"sha256": asked.sha256} | {name: facts.get(name) for name in kept}


def _by_label(samples: Samples, rows: npt.NDArray[np.intp]) -> dict[str, int]:
    found = np.bincount(samples.table.target[rows], minlength=len(samples.labels))
    return dict(zip(samples.labels, found.tolist(), strict=True))


def _lost(samples: Samples) -> dict[str, int]:
    reasons = sorted({reason for account in samples.accounts for reason in account.lost})
    return {reason: sum(account.lost.get(reason, 0) for account in samples.accounts) for reason in reasons}
