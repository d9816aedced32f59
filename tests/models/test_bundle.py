"""A bundle is read as it was written, or not at all."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.bundle import read_bundle, write_bundle
from models.bundle_files import CARD, WEIGHTS, canonical, check_target
from models.cards.window_card import CardRecording, WindowCard
from models.errors import BundleError
from models.networks.registry import NETWORKS, make_model


def card(**changes: Any) -> WindowCard:
    values: dict[str, Any] = {
        "model": {"kind": "cgrnn", "params": {"hidden": 4}, "n_chans": 2, "n_times": 35, "n_outputs": 2},
        "input": {"rate": 5.0, "channels": [{"name": "Käse 1", "kind": "hbo", "unit": "mol/L"}]},
        "pipeline": [{"stage": "resample", "rate": 5.0}],
        "rate": 5.0,
        "window": {"length_s": 7.0, "step_s": 1.0},
        "labels": ["rest", "tapping"],
        "policy": {"min_coverage": 0.9},
        "training": {"cohort": "abc", "people": 3},
    }
    return WindowCard(**{**values, **changes})


def trained(of: WindowCard, seed: int = 0) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_model(**of.model.model_dump()).eval()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", card(), trained(card()))
    return tmp_path / "bundle"


def forge(folder: Path, **changes: Any) -> None:
    """Change the card and give it the hash that fits: whole, but wrong."""
    values = {**json.loads((folder / CARD).read_text()), **changes}
    unhashed = {key: value for key, value in values.items() if key != "hash"}
    values["hash"] = hashlib.sha256(canonical(unhashed)).hexdigest()
    (folder / CARD).write_bytes(canonical(values))


def forge_weights(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    weights = safetensors.torch.save(tensors)
    (folder / WEIGHTS).write_bytes(weights)
    forge(folder, weights_sha256=hashlib.sha256(weights).hexdigest())


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_read_is_what_was_written(name: str, tmp_path: Path) -> None:
    written = card(model={"kind": name, "params": {}, "n_chans": 2, "n_times": 35, "n_outputs": 2})
    network = trained(written)
    hash_ = write_bundle(tmp_path / "b", written, network)
    read = read_bundle(tmp_path / "b", expected_hash=hash_)
    assert read.card.hash == hash_
    assert len(hash_) == 64
    data = torch.randn(3, 2, 35)
    with torch.inference_mode():
        np.testing.assert_array_equal(read.network(data).numpy(), network(data).numpy())
    assert not read.network.training
    for field in ("model", "input", "pipeline", "rate", "window", "labels", "policy", "training"):
        assert getattr(read.card, field) == getattr(written, field)


def test_reading_draws_nothing_from_the_generator(bundle: Path) -> None:
    before = torch.random.get_rng_state()
    read_bundle(bundle)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_same_classifier_has_the_same_hash_and_another_another(tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "a", card(), trained(card()))
    assert write_bundle(tmp_path / "b", card(), trained(card())) == first
    assert write_bundle(tmp_path / "c", card(), trained(card(), seed=1)) != first
    assert write_bundle(tmp_path / "d", card(labels=["tapping", "rest"]), trained(card())) != first


def test_a_network_that_was_read_can_be_trained_on_and_written_again(bundle: Path, tmp_path: Path) -> None:
    read = read_bundle(bundle)
    network = read.network.train()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.ones(4, 2, 35)).square().sum().backward()
    optimiser.step()
    assert write_bundle(tmp_path / "next", read.card, network) != read.card.hash
    read_bundle(tmp_path / "next")


def test_pinned_by_the_whole_hash_or_its_beginning(bundle: Path) -> None:
    found = read_bundle(bundle).card.hash
    assert read_bundle(bundle, found[:12].upper()).card.hash == found
    with pytest.raises(BundleError, match="was asked for"):
        read_bundle(bundle, "0" * 12 if found[:12] != "0" * 12 else "1" * 12)
    for pin in (found[:11], "not hexadecimal", found + "0", ""):
        with pytest.raises(BundleError, match="12 to 64 hexadecimal"):
            read_bundle(bundle, pin)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_refused(bundle: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([CARD, WEIGHTS]))
    original = (bundle / name).read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    changed = bytearray(original)
    match data.draw(st.sampled_from(["flip", "insert", "cut", "drop"])):
        case "flip":
            changed[at] ^= data.draw(st.integers(1, 255))
        case "insert":
            changed.insert(at, data.draw(st.integers(0, 255)))
        case "cut":
            del changed[at:]
        case "drop":
            del changed[at]
    try:
        if bytes(changed) != original:
            (bundle / name).write_bytes(changed)
            with pytest.raises(BundleError):
                read_bundle(bundle)
    finally:
        (bundle / name).write_bytes(original)
    read_bundle(bundle)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(sorted(card().to_json().keys() - {"hash", "training", "evaluation", "versions"})),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_a_card_that_is_whole_but_wrong_never_gives_another_error(bundle: Path, key: str, value: Any) -> None:
    original = (bundle / CARD).read_bytes()
    try:
        forge(bundle, **{key: value})
    except ValueError:  # what JSON cannot hold cannot be forged either
        return
    try:
        with contextlib.suppress(BundleError):
            read_bundle(bundle)
    finally:
        (bundle / CARD).write_bytes(original)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format is 2.*reads format 3"),
        ({"format": True}, "format is True"),
        ({"labels": ["rest"]}, "labels are 1; expected model.n_outputs, 2"),
        ({"labels": ["rest", "rest"]}, r"labels: found .*; expected each name once"),
        ({"rate": 6.0}, "n_times is 35; expected window.length_s . rate = 42"),
        ({"rate": 0}, "rate: found 0; expected greater than 0"),
        (
            {"calibration": {"temperature": -1}},
            r"calibration\.temperature: found -1; expected greater than 0",
        ),
        ({"extra": 1}, "extra: unknown.* Known: calibration"),
    ],
)
def test_a_wrong_card_is_refused(bundle: Path, changes: dict[str, Any], message: str) -> None:
    forge(bundle, **changes)
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "cgrn"}, "Did you mean 'cgrnn'"),
        ({"params": {"hidden": 5}}, "needs"),
        ({"params": {"hidden": 10**9}}, "hidden is 1000000000"),
        ({"params": {"n_chans": 3}}, "no parameter 'n_chans'"),
        ({"n_chans": 3}, "conv.weight"),
        ({"n_chans": 10**30}, "n_chans is 1000000000000000000000000000000"),
        ({"kind": "lstm"}, "another network"),
    ],
)
def test_a_card_of_another_network_is_refused(bundle: Path, changes: dict[str, Any], message: str) -> None:
    network = {**json.loads((bundle / CARD).read_text())["model"], **changes}
    forge(bundle, model=network)
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle)


def test_tensors_missing_extra_misshapen_or_not_finite_are_refused(bundle: Path) -> None:
    whole = safetensors.torch.load((bundle / WEIGHTS).read_bytes())
    bias = whole["head.bias"]
    for tensors, message in (
        ({key: value for key, value in whole.items() if key != "head.bias"}, r"lack \['head.bias'\]"),
        ({**whole, "more": bias.clone()}, r"extra \['more'\]"),
        ({**whole, "head.bias": torch.zeros(3)}, r"\(3,\).*needs torch.float32 \(2,\)"),
        ({**whole, "head.bias": bias.double()}, "float64"),
        ({**whole, "head.bias": bias * torch.nan}, "not finite"),
        ({**whole, "head.bias": bias + torch.inf}, "not finite"),
    ):
        forge_weights(bundle, tensors)
        with pytest.raises(BundleError, match=message):
            read_bundle(bundle)
    forge_weights(bundle, whole)
    read_bundle(bundle)


def test_what_is_no_bundle_is_refused(tmp_path: Path, bundle: Path) -> None:
    for nothing in (tmp_path / "absent", tmp_path, bundle / CARD):
        with pytest.raises(BundleError, match="not a readable bundle"):
            read_bundle(nothing)
    (bundle / CARD).write_bytes(b"[" * 100_000)
    with pytest.raises(BundleError, match=r"card\.json"):
        read_bundle(bundle)
    (bundle / CARD).write_bytes(b'{"rate":1e999}')
    with pytest.raises(BundleError, match=r"card\.json"):
        read_bundle(bundle)


def test_a_diverged_network_is_not_written(tmp_path: Path) -> None:
    network = trained(card())
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    with pytest.raises(BundleError, match="lower learning rate"):
        write_bundle(tmp_path / "b", card(), network)
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_json_cannot_hold_is_not_written(tmp_path: Path) -> None:
    for training in ({"loss": float("nan")}, {"when": object()}):
        with pytest.raises(BundleError, match="JSON"):
            write_bundle(tmp_path / "b", card(training=training), trained(card()))
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_replaced_but_nothing_else_is(tmp_path: Path, bundle: Path) -> None:
    hash_ = write_bundle(bundle, card(), trained(card(), seed=1))
    assert read_bundle(bundle).card.hash == hash_
    (bundle / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"thesis\.txt"):
        write_bundle(bundle, card(), trained(card()))
    assert read_bundle(bundle).card.hash == hash_
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="not a bundle"):
        write_bundle(tmp_path / "file", card(), trained(card()))
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", card(), trained(card()))
    assert {each.name for each in tmp_path.iterdir()} == {"bundle", "file", "empty"}


def test_a_link_that_leads_nowhere_is_no_place_for_a_bundle(tmp_path):
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("link", "loop"):
        with pytest.raises(BundleError, match="is a link that leads nowhere"):
            check_target(tmp_path / name)


def test_a_bundle_whose_card_lacks_how_recordings_are_read_is_read(bundle: Path) -> None:
    values = json.loads((bundle / CARD).read_text())
    for name, lacking in (("recording", None), ("policy", "Card: lacks policy; expected all")):
        fewer = {key: value for key, value in values.items() if key not in (name, "hash")}
        fewer["hash"] = hashlib.sha256(canonical(fewer)).hexdigest()
        (bundle / CARD).write_bytes(canonical(fewer))
        if lacking is None:
            assert read_bundle(bundle).card.recording == CardRecording()
        else:
            with pytest.raises(BundleError, match=lacking):
                read_bundle(bundle)
