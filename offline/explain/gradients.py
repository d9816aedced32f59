"""Maps from gradients: integrated gradients, and guided backpropagation ("deconvolution").

Integrated gradients add up exactly to the difference between the margin of the window and that of an empty
window (all 0), which is their law and our test.  Guided backpropagation lets through a rectifier only what is
positive both ways; it is known to look alike for trained and for untrained networks, which is why the check
of `offline.explain.sanity` goes with every map.

Sundararajan M, Taly A, Yan Q (2017). Axiomatic attribution for deep networks. ICML.
Springenberg JT, Dosovitskiy A, Brox T, Riedmiller M (2015). Striving for simplicity: the all
convolutional net. ICLR workshop.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models.arrays import Floats
from models.errors import RecipeError
from offline.explain.margin import Margin

STEPS = 64
"""Steps of the path from the empty window; the law then holds within a few thousandths of the margin."""


def integrated_gradients(
    network: nn.Module, X: npt.NDArray[np.float32], label: npt.NDArray[np.int64]
) -> Floats:
    """Integrated gradients of the margin of a label (n,) int64, from the empty window.

    Of windows (n, n_channels, n_samples) float32, in the same shape float64: each window's sum to its margin
    less the empty window's.
    """
    found = IntegratedGradients(Margin(network)).attribute(
        torch.from_numpy(X),
        baselines=0.0,
        additional_forward_args=(torch.from_numpy(label),),
        n_steps=STEPS,
        internal_batch_size=1024,
    )
    return np.asarray(found.detach().numpy(), dtype=np.float64)


def guided(network: nn.Module, X: npt.NDArray[np.float32], label: npt.NDArray[np.int64]) -> Floats:
    """Guided gradient of the margin of a label (n,) int64, times the window.

    Of windows (n, n_channels, n_samples) float32, in the same shape float64.  A RecipeError where the network
    has no rectifier, so that nothing could be guided.
    """
    windows = torch.from_numpy(X).clone().requires_grad_(True)
    with _Guided() as mode:
        margin = Margin(network)(windows, torch.from_numpy(label))
    if mode.met == 0:
        raise RecipeError(
            "Guided backpropagation needs a rectifier (ReLU), and this network has none; its map would "
            "be the plain gradient. Leave 'guided' out of evaluation.explain for it."
        )
    (gradient,) = torch.autograd.grad(margin.sum(), windows)
    return (gradient * windows).detach().numpy().astype(np.float64)


class _GuidedReLU(torch.autograd.Function):
    """Forward as ever; backward only where both the input and what comes back are positive."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Rectify x, of any shape."""
        ctx.save_for_backward(x)
        return x.clamp(min=0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Gradient of the input's shape."""
        (x,) = ctx.saved_tensors
        return gradients[0].clamp(min=0.0) * (x > 0.0)


class _Guided(TorchFunctionMode):
    """Meanwhile rectifiers are guided, whether they are functions or modules; captum knows modules only."""

    RECTIFIERS = (torch.relu, torch.relu_, nn.functional.relu, Tensor.relu, Tensor.relu_)

    def __init__(self) -> None:
        super().__init__()
        self.met = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in self.RECTIFIERS:
            self.met += 1
            return _GuidedReLU.apply(args[0])
        return func(*args, **(kwargs or {}))
