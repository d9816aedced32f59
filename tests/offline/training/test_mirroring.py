"""Left and right swapped in training: channels by their homologues, labels where they mirror."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RecipeError, SignalError
from offline.training.mirroring import Mirroring
from realtime.signal import Channel, Kind, SignalSpec
from realtime.stages.homologues import Homologues

LABELS = ("left", "rest", "right")


def montage(half: int = 3, *, midline: bool = False) -> SignalSpec:
    """HbO and HbR at places of the left, then of the right in the same order, then one in the middle."""
    where = [(side * 0.05, 0.02 * i, 0.04) for side in (-1, 1) for i in range(half)]
    where += [(0.0, 0.09, 0.02)] * midline
    return SignalSpec(
        tuple(
            Channel(name=f"{kind} {i}", kind=kind, unit="mol/L", source=i, detector=i, position=place)
            for i, place in enumerate(where)
            for kind in (Kind.HBO, Kind.HBR)
        ),
        5.0,
    )


def windows(n_channels: int, n: int = 200) -> torch.Tensor:
    return torch.arange(1.0, 1.0 + n * n_channels * 4).reshape(n, n_channels, 4)


def drawn(
    mirror: Mirroring, x: torch.Tensor, y: torch.Tensor, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return mirror(x, y)


@given(half=st.integers(1, 6), midline=st.booleans())
def test_homologues_change_places_and_twice_is_nothing(half: int, midline: bool) -> None:
    spec = montage(half, midline=midline)
    mirror = Mirroring(spec, LABELS, [])
    x = windows(len(spec), 3)
    once = mirror.mirrored(x)
    n = 2 * half
    assert torch.equal(once[:, :n], x[:, n : 2 * n])
    assert torch.equal(once[:, n : 2 * n], x[:, :n])
    assert torch.equal(once[:, 2 * n :], x[:, 2 * n :])  # the middle stays
    assert torch.equal(mirror.mirrored(once), x)


@given(seed=st.integers(0, 999))
def test_half_of_the_windows_change_and_their_labels_with_them(seed: int) -> None:
    spec = montage()
    x, y = windows(len(spec)), torch.arange(200) % 3
    mirror = Mirroring(spec, LABELS, [("left", "right")])
    found, labels = drawn(mirror, x, y, seed)
    turned = (found != x).any(dim=2).any(dim=1)
    assert 60 < turned.sum() < 140
    assert torch.equal(found[turned], mirror.mirrored(x)[turned])
    assert torch.equal(labels[~turned], y[~turned])
    assert torch.equal(labels[turned], torch.tensor([2, 1, 0])[y[turned]])


def test_labels_that_mirror_nothing_stay() -> None:
    spec = montage()
    _, labels = drawn(Mirroring(spec, LABELS, []), windows(len(spec)), torch.arange(200) % 3)
    assert torch.equal(labels, torch.arange(200) % 3)


@pytest.mark.parametrize("keep", [False, True])
def test_differences_of_homologues_change_their_sign(keep: bool) -> None:
    spec = Homologues(montage(), keep=keep).spec_out
    x = windows(len(spec), 2)
    found = Mirroring(spec, LABELS, []).mirrored(x)
    n = len(spec) - 6
    assert torch.equal(found[:, n:], -x[:, n:])
    if keep:
        assert torch.equal(found[:, :6], x[:, 6:12])


def test_what_cannot_be_mirrored_is_said() -> None:
    spec = montage()
    nowhere = replace(spec, channels=tuple(replace(channel, position=None) for channel in spec.channels))
    with pytest.raises(SignalError, match=r"augmentation.mirror needs every channel's position: 12 of 12"):
        Mirroring(nowhere, LABELS, [])
    with pytest.raises(SignalError, match=r"augmentation.mirror needs channels that mirror each other"):
        Mirroring(spec.pick([0, 1]), LABELS, [])
    with pytest.raises(RecipeError, match=r"labels.mirror names 'lft'; expected .* left, rest, right"):
        Mirroring(spec, LABELS, [("lft", "right")])
