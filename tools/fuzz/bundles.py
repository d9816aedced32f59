"""Bundles, and damage to them that has the right hashes, so that the checks behind these are reached."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from models.bundle import write_bundle
from models.bundle_files import CARD, WEIGHTS, canonical
from models.cards.scan_card import ScanCard, ScanInput
from models.cards.window_card import ModelSpec, WindowCard, WindowSettings
from models.features.connectivity import Correlation
from models.features.measures import ConnectivityMeasures
from models.layers.columns import Standardise
from models.layers.connectivity_ensemble import ConnectivityEnsemble
from models.layers.linear import Linear
from models.layers.network import network_of
from models.networks.registry import NETWORKS, make_model, parameters_of
from models.scan_bundle import write_scan_bundle
from models.scan_model import ScanModel
from tools.fuzz.damage import Random, damaged
from tools.fuzz.seeds import Input, spec
from tools.fuzz.texts import VALUES, tree


def bundles() -> list[Input]:
    """One of each kind of model, small."""
    found: list[Input] = []
    kinds: dict[str, dict[str, Any]] = {
        name: {"hidden": 4} if "hidden" in parameters_of(name) else {} for name in NETWORKS
    }
    kinds |= {"linear": {"features": ["mean"]}, "memory": {"pairs": [[0, 2]]}}
    kinds["likeness"] = {"pairs": [[0, 2]], "others": [[0, 1], [1, 3]]}
    kinds["blend"] = {"members": [{"kind": "ridge", "params": {}}, {"kind": "lstm", "params": {"hidden": 2}}]}
    for name, params in kinds.items():
        card = WindowCard(
            model=ModelSpec(kind=name, params=params, n_chans=4, n_times=35, n_outputs=2),
            input=spec().to_json(),
            pipeline=[{"stage": "resample", "rate": 5.0}],
            rate=5.0,
            window=WindowSettings(length_s=7.0, step_s=1.0),
            labels=["rest", "tap"],
            policy={"min_coverage": 0.9, "min_confidence": 0.0},
            training={"people": 3},
        )
        with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as folder:
            torch.manual_seed(0)
            write_bundle(Path(folder) / "b", card, make_model(**card.model.model_dump()).eval())
            found.append({each: (Path(folder) / "b" / each).read_bytes() for each in (CARD, WEIGHTS)})
    return found


def scan_bundles() -> list[Input]:
    """Scan models, small: of one feature, of several connectivity measures, and of a network."""
    random = np.random.default_rng(0)
    regions = 5
    pairs = regions * (regions - 1) // 2
    linear = Linear(random.normal(size=(pairs, 2)), random.normal(size=2))
    line = ConnectivityEnsemble(
        np.eye(regions), np.zeros(25), np.ones(25), random.normal(size=25), ("pearson", "tangent"),
        (("pearson", False), ("tangent", True)), 1.0, 0.0,
    )  # fmt: skip
    scan_models = [
        ScanModel((Correlation(),), (Standardise(np.zeros(pairs), np.ones(pairs)), linear)),
        ScanModel((ConnectivityMeasures(("pearson", "tangent")),), (line,)),
        ScanModel((Correlation(),), (network_of([(linear.weights, linear.bias)], ["none"]),)),
    ]
    needs = ScanInput(
        regions=[f"region {k}" for k in range(regions)],
        preprocessing="none",
        least_s=120.0,
        repetition_time=[1.5, 3.0],
        most_masked=0.4,
    )
    found: list[Input] = []
    for scan_model in scan_models:
        with tempfile.TemporaryDirectory() as folder:
            card = ScanCard(system=(), input=needs, labels=("TD", "ASD"), study={"name": "ridge"})
            write_scan_bundle(Path(folder) / "b", card, scan_model)
            found.append({each: (Path(folder) / "b" / each).read_bytes() for each in (CARD, WEIGHTS)})
    return found


def other_card(files: Input, random: Random) -> Input:
    """A card that says something else, with the hash that fits."""
    values = tree(json.loads(files[CARD]), random)
    return _hashed(files, values)


def other_weights(files: Input, random: Random) -> Input:
    """Weights that are something else, in a card with the hash that fits."""
    tensors = safetensors.torch.load(files[WEIGHTS])
    name = str(random.choice(sorted(tensors)))
    match int(random.integers(0, 6)):
        case 0:
            del tensors[name]
        case 1:
            tensors[f"{name}x"] = tensors.pop(name)
        case 2:
            tensors[name] = torch.full_like(tensors[name], float(random.choice([float("nan"), float("inf")])))
        case 3:
            tensors[name] = tensors[name].to(torch.float16 if random.random() < 0.5 else torch.int64)
        case 4:
            tensors[name] = (
                tensors[name].flatten()[: int(random.integers(0, tensors[name].numel() + 1))].clone()
            )
        case _:
            tensors[str(random.choice(["x", "", name, "head.weight"]))] = torch.zeros(3)
    weights = safetensors.torch.save(tensors)
    if random.random() < 0.5:  # the file's own header, then
        size = int.from_bytes(weights[:8], "little")
        head = json.loads(weights[8 : 8 + size])
        text = (
            json.dumps(tree(head, random))
            if random.random() < 0.7
            else damaged(weights[8 : 8 + size], random).decode("latin1")
        )
        raw = text.encode("utf-8", "replace")
        claimed = len(raw) if random.random() < 0.9 else int(random.choice([0, 1, 2**31, 2**40, 2**62]))
        weights = claimed.to_bytes(8, "little") + raw + weights[8 + size :]
    values = {**json.loads(files[CARD]), "weights_sha256": hashlib.sha256(weights).hexdigest()}
    return _hashed({**files, WEIGHTS: weights}, values)


def exchanged(files: Input, random: Random) -> Input:
    """Files that were taken for each other, emptied or lost."""
    match int(random.integers(0, 4)):
        case 0:
            return {CARD: files[WEIGHTS], WEIGHTS: files[CARD]}
        case 1:
            return {**files, str(random.choice([CARD, WEIGHTS])): b""}
        case 2:
            return {CARD: files[CARD]} if random.random() < 0.5 else {WEIGHTS: files[WEIGHTS]}
        case _:
            return {**files, WEIGHTS: safetensors.torch.save({"a": torch.zeros(2)})}


def _hashed(files: Input, values: Any) -> Input:
    if isinstance(values, dict):
        values.pop("hash", None)
        try:
            text = canonical(values)
            values["hash"] = hashlib.sha256(text).hexdigest()
            return {**files, CARD: canonical(values)}
        except (ValueError, UnicodeError, TypeError, RecursionError):
            pass  # not finite, or no text: there is no canonical form
    value = values if not isinstance(values, dict) else VALUES[0]
    return {**files, CARD: json.dumps(value).encode("utf-8", "replace")}
