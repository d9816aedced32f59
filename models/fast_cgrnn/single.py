"""One window at a time, in plain array code, for networks that have such a form.

For one small window most of torch's time goes into calling its operators, above all in the GRU's
steps.  This computes the same numbers (to float32's rounding) from the same weights with numpy: at
the bedside, where a window comes once a second and every cache is cold, a window takes a third of
the time (``python -m tools.bench.single``).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from torch import nn

from models.networks.cgrnn import CGRNN

OneWindow = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""Takes a window, (n_chans, n_times) float32, and gives its logits, (n_outputs,) float32."""


def one_window_form(network: nn.Module, n_chans: int, n_times: int) -> OneWindow | None:
    """The plain form of a trained network, or None where it has none.

    Parameters
    ----------
    network : torch.nn.Module
        In evaluation mode, on the CPU.
    n_chans, n_times : int
        Of a window.

    Returns
    -------
    callable or None
        Takes a window, ``(n_chans, n_times) float32``, and gives its logits, ``(n_outputs,) float32``.
    """
    return SingleCGRNN(network, n_chans, n_times) if isinstance(network, CGRNN) else None


class SingleCGRNN:
    """A trained CGRNN that predicts one window at a time.

    Parameters
    ----------
    network : CGRNN
        In evaluation mode, on the CPU; its weights are copied.
    n_chans, n_times : int
        Of a window.
    """

    def __init__(self, network: CGRNN, n_chans: int, n_times: int) -> None:
        weights = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}

        def array(name: str) -> npt.NDArray[np.float32]:
            return weights[name].copy(order="C")

        weight = array("conv.weight")  # (filters, n_chans, kernel)
        self._kernel = weight.shape[2]
        self._left = (self._kernel - 1) // 2
        # One product a tap reads the padded window in place, and is too small for BLAS to share out.
        self._taps = [weight[:, :, k].copy() for k in range(self._kernel)]
        self._conv_bias = array("conv.bias")[:, None]
        pool = network.pool.kernel_size
        self._pool = pool if isinstance(pool, int) else pool[0]
        self._steps = n_times // self._pool
        self._hidden = network.gru.hidden_size
        self._input, self._input_bias = array("gru.weight_ih_l0"), array("gru.bias_ih_l0")
        # The recurrent bias of the reset and update gates only ever meets the input's.
        self._input_bias[: 2 * self._hidden] += array("gru.bias_hh_l0")[: 2 * self._hidden]
        self._recurrent = array("gru.weight_hh_l0").T.copy()
        # The logistic function is (1 + tanh(x / 2)) / 2, and the halving is done here, once.
        for part in (self._input[: 2 * self._hidden], self._input_bias[: 2 * self._hidden]):
            part *= 0.5
        self._recurrent[:, : 2 * self._hidden] *= 0.5
        self._new_bias = array("gru.bias_hh_l0")[2 * self._hidden :]
        self._head, self._head_bias = array("head.weight"), array("head.bias")
        self._padded = np.zeros((n_chans, n_times + self._kernel - 1), dtype=np.float32)
        self._n_times = n_times

    def __call__(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Logits of a window.

        Parameters
        ----------
        window : (n_chans, n_times) float32
            As the pipeline gives it (normalised, no unit).

        Returns
        -------
        (n_outputs,) float32
            No unit.
        """
        n, steps, hidden = self._n_times, self._steps, self._hidden
        self._padded[:, self._left : self._left + n] = window
        used = steps * self._pool
        filtered = self._taps[0] @ self._padded[:, :used]
        for k in range(1, self._kernel):
            filtered += self._taps[k] @ self._padded[:, k : k + used]
        # Bias and rectifier keep the order of values, so they may wait until the largest are chosen.
        largest = filtered.reshape(len(filtered), steps, self._pool).max(axis=2)  # (filters, steps)
        largest += self._conv_bias
        np.maximum(largest, 0.0, out=largest)
        gates = largest.T @ self._input.T  # (steps, 3 * hidden)
        gates += self._input_bias
        state = np.zeros(hidden, dtype=np.float32)
        for step in gates:
            fed_back = state @ self._recurrent
            both = fed_back[: 2 * hidden]  # reset and update gates
            both += step[: 2 * hidden]
            np.tanh(both, out=both)
            both *= 0.5
            both += 0.5
            new = fed_back[2 * hidden :]
            new += self._new_bias
            new *= both[:hidden]
            new += step[2 * hidden :]
            np.tanh(new, out=new)
            state -= new
            state *= both[hidden:]
            state += new
        return self._head @ state + self._head_bias
