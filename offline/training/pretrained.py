"""A pre-trained encoder on disk: weights and, beside them, by whose recordings; in safetensors.

People in it are hashed with a salt of its own. Whoever is to be predicted as unseen may not be among them:
`refuse_seen` holds that, by people and by their recordings' signals.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from models.errors import RecipeError
from models.files.regular_file import read_regular
from models.networks.virtual_probe import VirtualProbe
from offline.base.people_hash import is_among
from offline.base.remarks import show
from offline.samples.fingerprints import learnt_from
from offline.samples.recipe_sections import MOST_ENCODER_BYTES, Pretrained
from offline.samples.samples import Samples

ENCODER = ("filters", "kernel", "layers")
"""Parameters of a network that its encoder depends on."""


@dataclass(frozen=True, eq=False)
class PretrainedEncoder:
    """An encoder's weights by name, and how they came about (JSON types).

    Parameters
    ----------
    facts : mapping
        ``rate`` (Hz), the parameters in `ENCODER`, ``people_salt``, ``people_hashes``, ``signals``
        (`offline.samples.fingerprints.signals_for_card`), ``loss`` of people who were spared, and
        ``chance``, both in nats.
    """

    weights: Mapping[str, torch.Tensor]
    facts: Mapping[str, Any]


def write_encoder(path: Path, encoder: PretrainedEncoder) -> str:
    """Write it; gives the SHA-256 of the file, hexadecimal."""
    tensors = {name: each.detach().contiguous() for name, each in encoder.weights.items()}
    content = safetensors.torch.save(tensors, {"facts": json.dumps(encoder.facts, sort_keys=True)})
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def read_encoder(asked: Pretrained) -> PretrainedEncoder:
    """Read it.

    Raises
    ------
    RecipeError
        It is not there, is not the file that the recipe was read with, or holds no encoder.
    """
    try:
        content = read_regular(asked.file, most=MOST_ENCODER_BYTES)
    except OSError as error:
        raise RecipeError(f"training.pretrained: {asked.file} cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(content).hexdigest()
    if asked.sha256 and found != asked.sha256:
        raise RecipeError(
            f"training.pretrained: {asked.file} has the SHA-256 {found[:12]}; expected {asked.sha256[:12]}. "
            "It was changed since the recipe was read (or written): take the file that was meant."
        )
    try:
        weights = safetensors.torch.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return PretrainedEncoder(weights, json.loads(header["__metadata__"]["facts"]))
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
        raise RecipeError(
            f"training.pretrained: {asked.file} holds no encoder that pretrain wrote ({error})."
        ) from error


def start_from(
    network: VirtualProbe, encoder: PretrainedEncoder, params: Mapping[str, Any], rate: float
) -> None:
    """Give a network the encoder's weights.

    Parameters
    ----------
    network : VirtualProbe
        Before training.
    encoder : PretrainedEncoder
        Of the same parameters.
    params : mapping
        The network's parameters with their defaults.
    rate : float
        Of its windows, Hz.

    Raises
    ------
    RecipeError
        It is of another rate or other parameters, or its weights are not finite.
    """
    ours = {"rate": rate} | {name: params[name] for name in ENCODER}
    for name, value in ours.items():
        if encoder.facts.get(name) != value:
            raise RecipeError(
                f"training.pretrained: the encoder was trained with {name} = {encoder.facts.get(name)}; the "
                f"recipe has {value}. Give the recipe that one, or pre-train again by this recipe."
            )
    if not all(torch.isfinite(each).all() for each in encoder.weights.values()):
        raise RecipeError("training.pretrained: the encoder's weights are not finite. Pre-train again.")
    try:
        network.encoder.load_state_dict(dict(encoder.weights))
    except RuntimeError as error:
        raise RecipeError(f"training.pretrained: the weights are another network's: {error}") from error


def seen(asked: Pretrained | None, samples: Samples, people: Sequence[str] | None = None) -> tuple[str, ...]:
    """Whom pre-training saw, by their code or by a signal of theirs, sorted.

    Parameters
    ----------
    asked : Pretrained or None
        Of the recipe.
    samples : Samples
        Of these people.
    people : sequence of str or None
        Who is asked about; None is everybody who has windows.
    """
    if asked is None:
        return ()
    facts = read_encoder(asked).facts
    wanted = samples.table.people if people is None else people
    hashes = set(facts.get("people_hashes", ()))
    found = {each for each in wanted if is_among(str(facts.get("people_salt", "")), each, hashes)}
    found |= {
        each.person
        for each in samples.signals
        if each.person in wanted and learnt_from(facts, each.fingerprint) is not None
    }
    return tuple(sorted(found))


def refuse_seen(asked: Pretrained | None, samples: Samples, people: Sequence[str] | None = None) -> None:
    """Refuse people who are to be predicted as unseen and whom pre-training saw.

    An evaluation asks for everybody: so nobody whom a fold, or a fold inside its training people, holds out
    was seen. A training asks for the people who are locked: those it learns from may have been seen, without
    labels, and whoever of them is spared is then no stranger to the encoder (`told_of_seen` says it).

    Parameters
    ----------
    asked : Pretrained or None
        Of the recipe.
    samples : Samples
        Of which these are predicted as unseen.
    people : sequence of str or None
        Those; None is everybody.

    Raises
    ------
    RecipeError
        One of them, or one of their signals, was pre-trained on; nobody is named but by the cohort's code.
    """
    found = seen(asked, samples, people)
    if asked is not None and found:
        wanted = samples.table.people if people is None else people
        shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        raise RecipeError(
            f"training.pretrained: {asked.file} was pre-trained on recordings of {len(found)} of the "
            f"{len(wanted)} people who are to be predicted as unseen ({shown}). Pre-train on other "
            "people, or leave it out."
        )


def told_of_seen(asked: Pretrained | None, samples: Samples) -> Samples:
    """Samples to learn from, with a remark, which is shown, where pre-training saw some of these people."""
    found = seen(asked, samples)
    if not found:
        return samples
    words = (
        f"The encoder has seen recordings of {len(found)} of these {len(samples.table.people)} people, "
        "without labels. Those who are spared for early stopping and the temperature are no strangers to it: "
        "figures on them are a little too good, and no evaluation takes this recipe on them."
    )
    show([words])
    return replace(samples, remarks=(*samples.remarks, words), unnamed=(*samples.unnamed, words))
