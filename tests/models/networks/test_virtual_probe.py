"""The network that knows where channels are: it serves any montage, in any order, with any channels lost."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import RecipeError
from models.networks.parts.montage import KINDS, Montage
from models.networks.registry import make_model
from models.networks.virtual_probe import VirtualProbe, montage_in, placed
from realtime.signal import Kind

N_TIMES = 20


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mirrored_montage(half: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions and kinds of a montage: HbO and HbR at each place, left, then right in the same order."""
    left = 0.05 * torch.randn(half, 3, generator=chance(seed)) - torch.tensor([0.1, 0.0, 0.0])
    place = torch.cat([left, left * torch.tensor([-1.0, 1.0, 1.0])])
    return place.repeat_interleave(2, dim=0), torch.tensor([0, 1] * 2 * half)


def probe(position: torch.Tensor, kind: torch.Tensor, weights: dict[str, torch.Tensor]) -> VirtualProbe:
    """A network on a montage, with weights of another on any montage."""
    made = make_model("virtual_probe", {}, n_chans=len(kind), n_times=N_TIMES, n_outputs=2)
    assert isinstance(made, VirtualProbe)
    made.load_state_dict({k: v for k, v in weights.items() if k not in ("position", "kind")}, strict=False)
    made.place(Montage(position.numpy(), kind.numpy()))
    return made.eval()


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_model("virtual_probe", {}, n_chans=1, n_times=N_TIMES, n_outputs=2).state_dict()


def test_kinds_are_those_of_signals() -> None:
    assert [Kind(name) for name in KINDS] == [Kind.HBO, Kind.HBR, Kind.HBT, Kind.BOLD]


@settings(max_examples=30, deadline=None)
@given(half=st.integers(1, 6), seed=st.integers(0, 999))
def test_the_order_of_channels_does_not_matter(half: int, seed: int) -> None:
    position, kind = mirrored_montage(half, seed)
    x = torch.randn(3, len(kind), N_TIMES, generator=chance(seed))
    order = torch.randperm(len(kind), generator=chance(seed))
    with torch.inference_mode():
        expected = probe(position, kind, weights())(x)
        found = probe(position[order], kind[order], weights())(x[:, order])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(half=st.integers(1, 6), seed=st.integers(0, 999), data=st.data())
def test_a_lost_channel_is_as_one_that_the_montage_never_had(
    half: int, seed: int, data: st.DataObject
) -> None:
    position, kind = mirrored_montage(half, seed)
    kept = data.draw(st.lists(st.integers(0, len(kind) - 1), min_size=1, unique=True).map(sorted))
    x = torch.randn(2, len(kind), N_TIMES, generator=chance(seed))
    lost = torch.zeros_like(x)
    lost[:, kept] = x[:, kept]
    with torch.inference_mode():
        whole = probe(position, kind, weights())
        smaller = probe(position[kept], kind[kept], weights())
        torch.testing.assert_close(whole(lost), smaller(x[:, kept]), rtol=1e-3, atol=1e-4)


def test_nothing_is_there_where_all_is_lost() -> None:
    position, kind = mirrored_montage(3, 0)
    made = probe(position, kind, weights())
    with torch.inference_mode():
        assert not made.at_places(torch.zeros(2, len(kind), N_TIMES)).any()
        assert torch.isfinite(made(torch.zeros(2, len(kind), N_TIMES))).all()


@settings(max_examples=30, deadline=None)
@given(half=st.integers(1, 6), seed=st.integers(0, 999))
def test_a_mirrored_head_changes_the_sign_of_the_contrast_alone(half: int, seed: int) -> None:
    position, kind = mirrored_montage(half, seed)
    x = torch.randn(2, len(kind), N_TIMES, generator=chance(seed))
    swapped = torch.cat([x[:, 2 * half :], x[:, : 2 * half]], dim=1)
    made = probe(position, kind, weights())
    with torch.inference_mode():
        mean, contrast = made.at_places(x).chunk(2, dim=1)
        mean_too, opposite = made.at_places(swapped).chunk(2, dim=1)
    torch.testing.assert_close(mean_too, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(opposite, -contrast, rtol=1e-4, atol=1e-5)
    assert contrast.abs().max() > 1e-3


def test_a_place_on_a_channel_reads_that_channel() -> None:
    position, kind = mirrored_montage(4, 1)
    made = probe(position, kind, weights())
    with torch.no_grad():
        made.log_width.fill_(-5.0)
        made.centres[0] = 10.0 * position[-1]  # on the right
    x = torch.randn(1, len(kind), N_TIMES, generator=chance(0))
    with torch.inference_mode():
        seen = made.at_places(x)[0]
    n = len(made.centres)
    # HbO and HbR stand side by side, and left is the first half, in the same order.
    left, right = x[0, [6, 7]], x[0, [14, 15]]
    torch.testing.assert_close(seen[0, :2], (left + right) / 2)
    torch.testing.assert_close(seen[n, :2], (right - left) / 2)


def test_places_start_on_channels_far_from_each_other() -> None:
    position, kind = mirrored_montage(12, 2)
    made = probe(position, kind, weights())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made.spread_over_channels(torch.ones(len(kind), dtype=torch.bool))
    side = 10.0 * position * torch.where(position[:, :1] < 0, -1.0, 1.0)
    side[:, 1:] = 10.0 * position[:, 1:]
    away = torch.cdist(made.centres.detach(), side)
    assert away.min(dim=1).values.max() < 0.3  # each near a channel of the right side, in decimetres
    assert len(away.argmin(dim=1).unique()) >= 6  # and hardly two near one


@pytest.mark.parametrize(
    ("position", "kind", "message"),
    [
        (torch.zeros(3, 3), torch.zeros(4, dtype=torch.int64), r"positions are \(3, 3\) and kinds \(4,\)"),
        (torch.full((4, 3), torch.nan), torch.zeros(4, dtype=torch.int64), "must be finite"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, 4]), r"found \[0, 1, 2, 4\]"),
    ],
)
def test_what_no_montage_can_be_is_refused(position: torch.Tensor, kind: torch.Tensor, message: str) -> None:
    made = make_model("virtual_probe", {}, n_chans=4, n_times=N_TIMES, n_outputs=2)
    assert isinstance(made, VirtualProbe)
    with pytest.raises(RecipeError, match=message):
        made.place(Montage(position.numpy(), kind.numpy()))


def test_a_placed_copy_leaves_the_network_where_it_was() -> None:
    position, kind = mirrored_montage(3, 0)
    made = make_model("virtual_probe", {}, n_chans=4, n_times=N_TIMES, n_outputs=2)
    before = montage_in(made).key
    moved = placed(made, Montage(position.numpy(), kind.numpy()))
    assert montage_in(made).key == before
    assert montage_in(moved).key == Montage(position.numpy(), kind.numpy()).key
    assert torch.equal(moved.centres, made.centres)


def test_a_network_that_knows_no_place_cannot_be_placed() -> None:
    position, kind = mirrored_montage(3, 0)
    made = make_model("cgrnn", {}, n_chans=4, n_times=N_TIMES, n_outputs=2)
    with pytest.raises(RecipeError, match="CGRNN does not know where channels are"):
        placed(made, Montage(position.numpy(), kind.numpy()))
