"""Chance and threads of torch, set for a while and put back."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def reproducible(seed: int, threads: int = 1) -> Iterator[None]:
    """Fork torch's generator, and use its deterministic algorithms on so many threads meanwhile."""
    were = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    n_threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(were[0], warn_only=were[1])
            torch.set_num_threads(n_threads)
