"""A system for whole scans: whole when written, refused when damaged, and every part can be held."""

import importlib
import inspect
import json
import pkgutil
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.features
import models.layers
from models.bundle import read_bundle
from models.bundle_files import CARD, WEIGHTS, canonical
from models.cards.scan_card import ScanCard
from models.errors import BundleError
from models.features.connectivity import Correlation, Shrunk
from models.layers.columns import SelectColumns, Standardise
from models.layers.linear import Linear
from models.scan_bundle import is_scan_bundle, read_scan_bundle, write_scan_bundle
from models.scan_model import FEATURES, LAYERS, ScanModel

NOT_HELD = {"Block", "Scan"}
"""Dataclasses of the folders that are no steps of a model."""


def system(seed: int = 0) -> ScanModel:
    rng = np.random.default_rng(seed)
    layers = (
        Standardise(rng.normal(size=20), rng.uniform(1, 2, 20)),
        SelectColumns(np.array([3, 0, 11])),
        Linear(rng.normal(size=(3, 2)), rng.normal(size=2)),
    )
    return ScanModel((Correlation(), Shrunk("partial")), layers)


CARD_HERE = ScanCard(
    system=(),
    input={
        "regions": ["a", "b", "c", "d", "e"],
        "preprocessing": "none",
        "least_s": 60.0,
        "repetition_time": [1.0, 2.5],
        "most_masked": 0.2,
    },
    labels=("TD", "ASD"),
)


def scans(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    X = np.random.default_rng(seed).normal(size=(4, 5, 50)).astype(np.float32)
    X[1, :, 40:] = np.nan
    return X, np.full(4, 2.0)


@given(st.integers(0, 1000))
def test_a_system_is_the_same_from_its_arrays(seed: int) -> None:
    whole = system(seed)
    arrays, layout = whole.to_arrays()
    again = ScanModel.from_arrays(arrays, json.loads(json.dumps(layout)))
    assert np.array_equal(again.logits(*scans()), whole.logits(*scans()))
    one = [whole.logits(scans()[0][i : i + 1], np.array([2.0]))[0] for i in range(4)]
    assert np.stack(one) == pytest.approx(whole.logits(*scans()), abs=1e-9)


def test_a_bundle_is_read_as_it_was_written_and_replaced_as_a_whole(tmp_path: Path) -> None:
    where = tmp_path / "bundle"
    first = write_scan_bundle(where, CARD_HERE, system())
    assert is_scan_bundle(where)
    found = read_scan_bundle(where, first[:12])
    assert np.array_equal(found.system.logits(*scans()), system().logits(*scans()))
    assert found.card.input.regions == ["a", "b", "c", "d", "e"]
    second = write_scan_bundle(where, CARD_HERE, system(1))
    assert second != first
    with pytest.raises(BundleError, match="was asked for"):
        read_scan_bundle(where, first)
    # Who wants windows reads that a whole scan is predicted.
    with pytest.raises(BundleError, match="classifies whole scans"):
        read_bundle(where)


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_one_changed_byte_is_found(name: str, at: float, flip: int, tmp_path_factory) -> None:
    where = tmp_path_factory.mktemp("bundle") / "b"
    write_scan_bundle(where, CARD_HERE, system())
    content = bytearray((where / name).read_bytes())
    content[int(at * len(content))] ^= flip
    (where / name).write_bytes(bytes(content))
    with pytest.raises(BundleError):
        read_scan_bundle(where)


def rewritten(where: Path, **changes: object) -> Path:
    """A card changed by somebody who also put the hash right."""
    from models.bundle_files import hash_of

    values = {**json.loads((where / CARD).read_text()), **changes}
    values["hash"] = hash_of(values)
    (where / CARD).write_bytes(canonical(values))
    return where


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "scan 9"}, "format is 'scan 9'"),
        ({"labels": ["TD", "TD"]}, "labels"),
        ({"more": 1}, "more: unknown"),
        ({"input": {}}, "input"),
        ({"input": {**CARD_HERE.input.model_dump(), "least_s": -1}}, "least_s"),
        ({"input": {**CARD_HERE.input.model_dump(), "repetition_time": [3, 1]}}, "repetition_time"),
        ({"input": {**CARD_HERE.input.model_dump(), "most_masked": 1}}, "most_masked"),
        ({"input": {**CARD_HERE.input.model_dump(), "regions": ["a", "a"]}}, "regions"),
        ({"system": []}, "numbers of no step"),
        ({"system": [{"takes": "table", "kind": "eval", "settings": {}}]}, "a step 'eval'"),
        ({"system": [{"takes": "table", "kind": "Correlation", "settings": {}}]}, "a step 'Correlation'"),
        ({"system": ["Linear"]}, r"system\.0: found 'Linear'; expected"),
        ({"system": [{"takes": "series", "kind": "Shrunk", "settings": {"measure": 1}}]}, "Shrunk"),
    ],
)
def test_a_card_that_cannot_be_is_refused(changes: dict, message: str, tmp_path: Path) -> None:
    write_scan_bundle(tmp_path / "b", CARD_HERE, system())
    with pytest.raises(BundleError, match=message):
        read_scan_bundle(rewritten(tmp_path / "b", **changes))


def test_what_is_no_number_is_not_written_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    bad = system()
    bad.layers[2].bias[0] = np.nan
    with pytest.raises(BundleError, match="not finite"):
        write_scan_bundle(tmp_path / "b", CARD_HERE, bad)
    assert not (tmp_path / "b").exists()
    with pytest.raises(BundleError, match="plain finite values"):
        write_scan_bundle(
            tmp_path / "b", CARD_HERE.model_copy(update={"evaluation": {"auc": np.inf}}), system()
        )
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"thesis\.txt"):
        write_scan_bundle(tmp_path, CARD_HERE, system())


def test_every_feature_and_layer_has_its_name_in_the_registry() -> None:
    for folder, registry in ((models.features, FEATURES), (models.layers, LAYERS)):
        found = {
            each
            for module in pkgutil.iter_modules(folder.__path__)
            for name, each in inspect.getmembers(
                importlib.import_module(f"{folder.__name__}.{module.name}"), inspect.isclass
            )
            if is_dataclass(each) and each.__module__.startswith(folder.__name__) and name not in NOT_HELD
        }
        assert found == set(registry.values())
    assert not set(FEATURES) & set(LAYERS)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda layout: [{**layout[0], "kind": "phrenology"}, *layout[1:]], "asks for a step 'phrenology'"),
        (lambda layout: [each for each in layout if each["takes"] == "series"], "0 layers behind them"),
        (lambda layout: ["a step", *layout], "expected what it takes"),
    ],
)
def test_a_layout_that_is_none_is_refused(spoil, said: str) -> None:
    arrays, layout = system().to_arrays()
    with pytest.raises(BundleError, match=said):
        ScanModel.from_arrays(arrays, spoil(json.loads(json.dumps(layout))))
