"""Many CGRNNs of one shape as one: the same layers, computed for all of them at a time.

A network of one channel is so small that a step of its training is mostly waiting for the next operation to
begin.  With the weights of all networks stacked, an operation serves them all; gradients of one
never meet those of another, so each learns as it would alone.  `torch.func.vmap` cannot do it, for it knows
no recurrent layers.  The LSTMs have no such form: written out, their many steps are slower than torch's own.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.errors import RecipeError
from models.fast_cgrnn.many_layers import GRU, ConvolvePoolRelu
from models.networks.cgrnn import CGRNN
from models.networks.registry import make_model


class ManyCGRNN(nn.Module):
    """`models.networks.cgrnn.CGRNN`, many times; windows get no gradient.

    Parameters
    ----------
    networks : sequence of CGRNN
        At least one, all of the same shape and parameters.

    Raises
    ------
    RecipeError
        There is none, or one is no CGRNN or of another shape.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        shapes = {_shape(network) for network in networks}
        if len(shapes) != 1 or not isinstance(networks[0], CGRNN):
            found = ", ".join(sorted({type(network).__name__ for network in networks})) or "nothing"
            raise RecipeError(f"Found {found}; expected CGRNNs of one shape and with the same parameters.")
        one = networks[0]
        self.size = one.pool.kernel_size if isinstance(one.pool.kernel_size, int) else one.pool.kernel_size[0]
        self.share = one.drop.p
        states = [network.state_dict() for network in networks]
        # A parameter's name may hold no dot.
        self.stacked = nn.ParameterDict(
            {_own(name): nn.Parameter(torch.stack([state[name] for state in states])) for name in states[0]}
        )

    def __len__(self) -> int:
        return len(self.of("head.bias"))

    def of(self, name: str) -> Tensor:
        """The weights of all networks.

        Parameters
        ----------
        name : str
            As a `CGRNN` calls them, with dots.

        Returns
        -------
        (n_networks, ...) float32
            Not copied.
        """
        return self.stacked[_own(name)]

    def state_of(self, which: int) -> dict[str, Tensor]:
        """One network's weights, copied.

        Parameters
        ----------
        which : int
            The network's number.

        Returns
        -------
        dict of str to (...,) float32
            As a `CGRNN`'s ``load_state_dict`` takes them.
        """
        return {_theirs(name): value[which].detach().clone() for name, value in self.stacked.items()}

    def forward(self, x: Tensor) -> Tensor:
        """Logits of windows.

        Parameters
        ----------
        x : (n_networks, batch, n_chans, n_times) float32
            Each network's own windows.

        Returns
        -------
        (n_networks, batch, n_outputs) float32
            Logits.
        """
        x = x.permute(0, 2, 3, 1)  # the layers want the batch innermost
        x = ConvolvePoolRelu.apply(x, self.of("conv.weight"), self.of("conv.bias"), self.size)
        gru = [self.of(f"gru.{part}_l0") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        x = self._dropped(GRU.apply(self._dropped(x), *gru)).transpose(1, 2)  # (n_networks, batch, hidden)
        return torch.baddbmm(self.of("head.bias").unsqueeze(1), x, self.of("head.weight").transpose(1, 2))

    def _dropped(self, x: Tensor) -> Tensor:
        """Dropout with one draw a number, in half the passes that torch's own takes on the CPU."""
        if not self.training or self.share == 0.0:
            return x
        return x * ((torch.rand_like(x) >= self.share).to(x.dtype) / (1.0 - self.share))


def make_many(
    params: Mapping[str, object], *, seeds: Sequence[int], n_chans: int, n_times: int, n_outputs: int
) -> ManyCGRNN:
    """Make untrained CGRNNs, each drawn from its own seed: none depends on how many others there are.

    Parameters
    ----------
    params : mapping
        As `models.networks.registry.make_model` takes them.
    seeds : sequence of int
        One a network.
    n_chans, n_times, n_outputs : int
        Channels and samples of a window, and labels.

    Raises
    ------
    RecipeError
        No seed, no such parameter, or a window that is too short.
    """
    networks = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.manual_seed(seed)
            networks.append(
                make_model("cgrnn", params, n_chans=n_chans, n_times=n_times, n_outputs=n_outputs)
            )
    return ManyCGRNN(networks)


def _shape(network: nn.Module) -> tuple[object, ...]:
    if not isinstance(network, CGRNN):
        return (type(network),)
    weights = tuple((name, tuple(value.shape)) for name, value in network.state_dict().items())
    return (*weights, network.pool.kernel_size, network.drop.p)


def _own(name: str) -> str:
    return name.replace(".", "/")


def _theirs(name: str) -> str:
    return name.replace("/", ".")
