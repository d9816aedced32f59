"""Virtual probe: channels of any montage, read at a few learnt places that mirror each other.

A spatial filter whose weights follow from where a channel is, not from which it is, fits every montage:
Défossez A, Caucheteux C, Rapin J, Kabeli O, King J-R (2023). Decoding speech perception from non-invasive
brain recordings. Nature Machine Intelligence 5:1097-1107 (their "spatial attention"). Ours is a normalised
kernel of the distance (Shepard D, 1968, Proceedings of the 23rd ACM National Conference, 517-524), so that
few people suffice: four numbers a place. The kernel is rational quadratic (Rasmussen CE, Williams CKI,
2006, Gaussian Processes for Machine Learning, section 4.2), a Gaussian with a longer tail: however far the
last channel that is left, its weight is a number.
"""

import copy

import torch
from torch import Tensor, nn

from models.errors import RecipeError
from models.networks.parts.channel_encoder import ChannelEncoder
from models.networks.parts.montage import KINDS, Montage
from models.networks.parts.sizes import check_sizes

DECIMETRES = 10.0
"""Places are learnt in this unit: a step of the optimiser is then a step of millimetres."""
WIDTH_DM = 0.2
"""Width of the kernel before training, decimetres."""
TAIL = 4.0
"""Its exponent; without end it would be a Gaussian."""


class VirtualProbe(nn.Module):
    """Channels to places, places to mean and contrast of sides, one encoder for all, one linear layer.

    At each place every kind is the mean of the channels of that kind, weighted by a kernel of their
    distance to the place. As this is linear and the encoder begins with a convolution, it is the same as
    convolving each channel and weighting what was found. A channel that is 0 throughout a window (as
    windows hold rejected ones) is left out of that mean exactly, as if the montage did not have it. The
    order of channels does not matter. Windows of a mirrored head change the sign of the contrast of both
    sides and nothing else.

    Parameters
    ----------
    n_chans : int
        Channels of a window.
    n_times : int
        Samples of a window.
    n_outputs : int
        Labels.
    places : int
        Places on one side of the head; as many are their mirror images.
    filters, kernel, layers : int
        Of the encoder: filters, samples that one spans, convolutions.
    segments : int
        Parts of the window in each of which the encoder's output is averaged.
    dropout : float
        Probability of dropping a feature in front of the linear layer, in training only.

    Attributes
    ----------
    position : (n_chans, 3) float32
        Where channels are, m, ``x`` from the midline to the right; stored with the weights. Before `place`
        they stand in a row.
    kind : (n_chans,) int64
        Index in `KINDS` of what each measures; stored likewise.
    """

    def __init__(
        self,
        n_chans: int,
        n_times: int,
        n_outputs: int,
        *,
        places: int = 8,
        filters: int = 16,
        kernel: int = 5,
        layers: int = 1,
        segments: int = 3,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        check_sizes("virtual_probe", n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
        row = torch.linspace(-0.07, 0.07, n_chans)[:, None]
        self.position: Tensor
        self.register_buffer("position", torch.cat([row, torch.zeros(n_chans, 2)], dim=1))
        self.kind: Tensor
        self.register_buffer("kind", torch.zeros(n_chans, dtype=torch.int64))
        self.centres = nn.Parameter(0.5 * torch.randn(places, 3))  # dm
        self.log_width = nn.Parameter(torch.full((places,), WIDTH_DM).log())
        self.encoder = ChannelEncoder(
            len(KINDS), filters=filters, kernel=kernel, layers=layers, segments=segments
        )
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(2 * places * filters * min(segments, n_times), n_outputs)

    def place(self, montage: Montage) -> None:
        """Say where channels are and what they measure, as many as there are; what was learnt stays.

        Parameters
        ----------
        montage : Montage
            Of the windows to come; at least one channel.

        Raises
        ------
        RecipeError
            Not one of each channel, or not finite, or no kind.
        """
        position, kind = torch.from_numpy(montage.position.copy()), torch.from_numpy(montage.kind.copy())
        n_chans = len(kind)
        if n_chans == 0 or position.shape != (n_chans, 3):
            raise RecipeError(
                f"virtual_probe: positions are {tuple(position.shape)} and kinds {tuple(kind.shape)}; "
                f"expected (n, 3) and (n,), one of each channel, n at least 1."
            )
        if not torch.isfinite(position).all() or not ((kind >= 0) & (kind < len(KINDS))).all():
            raise RecipeError(
                f"virtual_probe: positions must be finite and kinds from 0 to {len(KINDS) - 1}; found "
                f"{kind.unique().tolist()}."
            )
        self.position, self.kind = position.to(self.position), kind.to(self.kind)

    def spread_over_channels(self, there: Tensor) -> None:
        """Put the places, before training, onto channels that lie far from each other (both sides as one).

        Parameters
        ----------
        there : (n_chans,) bool
            Channels that there is anything of to learn from; at least one.
        """
        side = DECIMETRES * self.position[there]
        side[:, 0] = side[:, 0].abs()
        chosen = side[(side - side.mean(dim=0)).norm(dim=1).argmin()][None]
        while len(chosen) < len(self.centres):
            away = torch.cdist(side, chosen).min(dim=1).values
            chosen = torch.cat([chosen, side[away.argmax()][None]])
        with torch.no_grad():
            # Where there are fewer channels than places, two must not stay the same for good.
            self.centres.copy_(chosen + 0.05 * torch.randn(chosen.shape))

    def at_places(self, x: Tensor) -> Tensor:
        """Mean of both sides of each place, then half of right less left.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, 2 * places, n_kinds, n_times) float32
            Of the kinds that the montage has, in the order of `KINDS`; 0 where no channel of one is left.
        """
        there = (x != 0.0).any(dim=2).to(x.dtype)  # (batch, n_chans)
        own = (self.kind[:, None] == self.kind.unique()).to(x.dtype)  # (n_chans, n_kinds)
        mirror = torch.tensor([-1.0, 1.0, 1.0], device=x.device)
        both = torch.cat([self.centres, mirror * self.centres])  # (2 * places, 3), right side first
        squared = (both[:, None] - DECIMETRES * self.position).square().sum(dim=2)
        scaled = squared * torch.exp(-2.0 * self.log_width).repeat(2)[:, None]
        kernel = (1.0 + scaled / (2.0 * TAIL)) ** -TAIL  # (2 * places, n_chans)
        flat = (kernel[:, None] * own.T).flatten(0, 1)  # (2 * places * n_kinds, n_chans)
        # Summed row by row: a matrix product's last bits would depend on the size of the batch.
        weight = (flat * there[:, None]).sum(dim=2)
        mean = torch.matmul(flat, x) / weight.clamp(min=1e-30)[:, :, None]
        right, left = mean.unflatten(1, (2, len(self.centres), -1)).unbind(dim=1)
        return torch.cat([right + left, right - left], dim=1) / 2

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (batch, n_chans, n_times) float32
            Windows as the pipeline gives them (normalised, no unit).

        Returns
        -------
        (batch, n_outputs) float32
            Logits, no unit.
        """
        seen = self.at_places(x)  # (batch, 2 * places, n_kinds, n_times)
        features = self.encoder(
            seen.flatten(0, 1), self.kind.unique()
        )  # (batch * 2 * places, filters, segments)
        return self.head(self.drop(features.reshape(len(x), -1)))  # (batch, n_outputs)


def placed(network: nn.Module, montage: Montage) -> nn.Module:
    """The network on another montage: a copy, in which every virtual probe is placed on it.

    Parameters
    ----------
    network : torch.nn.Module
        A virtual probe, or a blend of such; stays as it is.
    montage : Montage
        Of the windows to come.

    Raises
    ------
    RecipeError
        There is none in it, or it cannot be placed there.
    """
    network = copy.deepcopy(network)
    for probe in _probes(network):
        probe.place(montage)
    return network


def montage_in(network: nn.Module) -> Montage:
    """The montage that a network (`placed`) is on."""
    probe = _probes(network)[0]
    return Montage(probe.position.cpu().numpy(), probe.kind.cpu().numpy())


def _probes(network: nn.Module) -> list[VirtualProbe]:
    found = [module for module in network.modules() if isinstance(module, VirtualProbe)]
    if not found:
        raise RecipeError(
            f"{type(network).__name__} does not know where channels are; expected a virtual probe."
        )
    return found
