"""``python -m tools.bench.many``: 132 CGRNNs of one channel, trained together against one after another.

The peer is a plain torch loop over the networks with the same steps: batch, loss, gradient, AdamW.  Both take
turns within one run, on one thread.
"""

import json
import time
from statistics import median

import torch
from cyclopts import App
from torch.nn.functional import cross_entropy

from models.networks.many import ManyCGRNN
from models.networks.registry import make_network

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
    print("| windows a step | one after another, s | together, s | ratio |\n|---|---|---|---|")
    for batch in (32, 64, 128):
        alone, joined = [], []
        singles = [
            make_network("cgrnn", {}, n_chans=1, n_times=N_TIMES, n_outputs=2).train()
            for _ in range(networks)
        ]
        groups = [ManyCGRNN(singles[i : i + together]).train() for i in range(0, networks, together)]
        theirs = [_optimiser(network) for network in singles]
        ours = [_optimiser(group) for group in groups]
        x = torch.randn(networks, windows, 1, N_TIMES)
        y = torch.randint(0, 2, (windows,))
        for _ in range(turns):
            begin = time.perf_counter()
            for m, network in enumerate(singles):
                for at in range(0, windows, batch):
                    theirs[m].zero_grad()
                    cross_entropy(network(x[m, at : at + batch]), y[at : at + batch]).backward()
                    theirs[m].step()
            middle = time.perf_counter()
            for k, group in enumerate(groups):
                own = x[k * together : k * together + len(group)]
                for at in range(0, windows, batch):
                    ours[k].zero_grad()
                    target = y[at : at + batch]
                    logits = group(own[:, at : at + batch]).flatten(0, 1)
                    loss = cross_entropy(logits, target.repeat(len(group)), reduction="sum") / len(target)
                    loss.backward()
                    ours[k].step()
            alone.append(middle - begin)
            joined.append(time.perf_counter() - middle)
        slow, fast = median(alone), median(joined)
        print(f"| {batch} | {slow:.2f} | {fast:.2f} | {slow / fast:.1f} |", flush=True)
    print(f"\n{networks} networks, {windows} windows each. {json.dumps(describe_machine())}")


def _optimiser(module: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=1e-2)


if __name__ == "__main__":
    app()
