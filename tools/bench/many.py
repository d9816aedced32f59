"""``python -m tools.bench.many``: 132 CGRNNs of one channel, trained together against one after another.

The peers are a plain torch loop over the networks with the same steps (batch, loss, gradient, AdamW), and the
same stacked layers whose gradients torch records instead of `models.fast_cgrnn.many_layers`.  All take turns
within one run, on one thread.
"""

import json
import time
from statistics import median

import torch
from cyclopts import App
from torch import Tensor
from torch.nn.functional import conv1d, cross_entropy, max_pool1d

from models.fast_cgrnn.many import ManyCGRNN
from models.networks.registry import make_model

app = App(name="many", help="Many networks at a time.", help_format="plaintext")

N_TIMES = 35
"""Seven seconds at 5 Hz."""


@app.default
def many(*, networks: int = 132, together: int = 12, windows: int = 384, turns: int = 5) -> None:
    """Time an epoch of all networks.

    Parameters
    ----------
    networks : int
        Networks: 44 channels and three chromophores.
    together : int
        So many are one; their numbers should stay in the processor's cache.
    windows : int
        Of each channel.
    turns : int
        Epochs of either, by turns.
    """
    from tools.bench.machine import describe_machine

    torch.set_num_threads(1)
    print("| windows a step | one after another, s | recorded gradients, s | together, s | ratio |")
    print("|---|---|---|---|---|")
    for batch in (32, 64, 128):
        alone: list[float] = []
        singles = [
            make_model("cgrnn", {}, n_chans=1, n_times=N_TIMES, n_outputs=2).train() for _ in range(networks)
        ]
        conditions = {
            kind: [kind(singles[i : i + together]).train() for i in range(0, networks, together)]
            for kind in (RecordedGradients, ManyCGRNN)
        }
        theirs = [_optimiser(network) for network in singles]
        ours = {kind: [_optimiser(group) for group in groups] for kind, groups in conditions.items()}
        joined: dict[type[ManyCGRNN], list[float]] = {kind: [] for kind in conditions}
        x = torch.randn(networks, windows, 1, N_TIMES)
        y = torch.randint(0, 2, (windows,))
        for _ in range(turns):
            begin = time.perf_counter()
            for m, network in enumerate(singles):
                for at in range(0, windows, batch):
                    theirs[m].zero_grad()
                    cross_entropy(network(x[m, at : at + batch]), y[at : at + batch]).backward()
                    theirs[m].step()
            alone.append(time.perf_counter() - begin)
            for kind, groups in conditions.items():
                begin = time.perf_counter()
                for k, group in enumerate(groups):
                    own = x[k * together : k * together + len(group)]
                    for at in range(0, windows, batch):
                        ours[kind][k].zero_grad()
                        target = y[at : at + batch]
                        logits = group(own[:, at : at + batch]).flatten(0, 1)
                        loss = cross_entropy(logits, target.repeat(len(group)), reduction="sum") / len(target)
                        loss.backward()
                        ours[kind][k].step()
                joined[kind].append(time.perf_counter() - begin)
        slow, recorded, fast = median(alone), median(joined[RecordedGradients]), median(joined[ManyCGRNN])
        print(f"| {batch} | {slow:.2f} | {recorded:.2f} | {fast:.2f} | {slow / fast:.1f} |", flush=True)
    print(f"\n{networks} networks, {windows} windows each. {json.dumps(describe_machine())}")


class RecordedGradients(ManyCGRNN):
    """The same stacked weights and operations, their gradients recorded by torch."""

    def forward(self, x: Tensor) -> Tensor:
        """(n_networks, batch, n_chans, n_times) float32 to logits (n_networks, batch, n_outputs) float32."""
        m, batch, channels, times = x.shape
        weight = self.of("conv.weight")  # (n_networks, filters, channels, kernel)
        filters = weight.shape[1]
        x = x.transpose(0, 1).reshape(batch, m * channels, times)
        x = conv1d(x, weight.flatten(0, 1), self.of("conv.bias").flatten(), padding="same", groups=m)
        x = max_pool1d(torch.relu(x), self.size).view(batch, m, filters, -1)
        x = self._dropped(x.permute(1, 3, 0, 2))  # (n_networks, steps, batch, filters)
        w_in, w_own, b_in, b_own = (
            self.of(f"gru.{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        steps, units = x.shape[1], w_own.shape[2]
        given = torch.baddbmm(b_in.unsqueeze(1), x.reshape(m, steps * batch, filters), w_in.transpose(1, 2))
        given = given.view(m, steps, batch, 3 * units)
        state = x.new_zeros(m, batch, units)
        for t in range(steps):
            own = torch.baddbmm(b_own.unsqueeze(1), state, w_own.transpose(1, 2))
            gates = torch.sigmoid(given[:, t, :, : 2 * units] + own[..., : 2 * units])
            new = torch.tanh(given[:, t, :, 2 * units :] + gates[..., :units] * own[..., 2 * units :])
            state = torch.lerp(new, state, gates[..., units:])
        head = self.of("head.weight").transpose(1, 2)
        return torch.baddbmm(self.of("head.bias").unsqueeze(1), self._dropped(state), head)


def _optimiser(module: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=1e-2)


if __name__ == "__main__":
    app()
