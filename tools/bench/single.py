"""``python -m tools.bench.single``: one window through the CGRNN, in plain array code against torch.

It measures what `models.fast_cgrnn.single` is for: the same weights, one window at a time, as at the bedside.
Both take turns within one run, on one thread; between two windows the caches are filled with something else,
for a window comes once a second.
"""

import json
import time
from statistics import median

import numpy as np
import torch
from cyclopts import App

from models.fast_cgrnn.single import one_window_form
from models.networks.registry import make_model
from realtime.inference import one_thread

app = App(name="single", help="One window at a time.", help_format="plaintext")


@app.default
def single(*, channels: int = 88, samples: int = 35, windows: int = 300) -> None:
    """Time windows one by one.

    Parameters
    ----------
    channels, samples : int
        Of a window: 44 pairs, two chromophores, seven seconds at 5 Hz.
    windows : int
        Through either, by turns.
    """
    from tools.bench.machine import describe_machine

    one_thread()
    network = make_model("cgrnn", {}, n_chans=channels, n_times=samples, n_outputs=2).eval()
    plain = one_window_form(network, channels, samples)
    assert plain is not None
    random, other = np.random.default_rng(0), np.zeros(2**22)
    taken: dict[str, list[float]] = {"torch": [], "plain arrays": []}
    for _ in range(windows):
        window = random.normal(size=(channels, samples)).astype(np.float32)
        other += 1.0  # 32 MB: the caches hold nothing of the network any more
        begin = time.perf_counter()
        with torch.inference_mode():
            theirs = network(torch.from_numpy(window).unsqueeze(0))[0].numpy()
        taken["torch"].append(time.perf_counter() - begin)
        other += 1.0
        begin = time.perf_counter()
        ours = plain(window)
        taken["plain arrays"].append(time.perf_counter() - begin)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    print("| one window, caches cold | median, ms |\n|---|---|")
    for name, each in taken.items():
        print(f"| {name} | {1e3 * median(each):.2f} |")
    print(f"\n{windows} windows of {channels} channels. {json.dumps(describe_machine())}")


if __name__ == "__main__":
    app()
