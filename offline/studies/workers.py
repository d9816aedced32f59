"""Processes that share the fits of all studies of a run, started once, when they are first needed."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Workers:
    """Processes to be used within a ``with`` block.

    Parameters
    ----------
    count : int
        Processes; 1 computes here.
    """

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            # What has not begun is not waited for: it is computed when the run is taken up again.
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def each(self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, T]]:
        """Results with the number of their call, in the order in which they come.

        Parameters
        ----------
        function : callable
            Of a module, so that another process finds it.
        calls : sequence of tuple
            Arguments of each.
        """
        if self.count == 1 or not calls:
            for number, arguments in enumerate(calls):
                yield number, function(*arguments)
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.count, mp_context=get_context("spawn"), initializer=_leave_with_parent
            )
        waiting = {self._pool.submit(function, *call): number for number, call in enumerate(calls)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            for future in waiting:
                future.cancel()


def _leave_with_parent() -> None:
    """End where whoever asked has ended: a process of a pool would wait for work that never comes."""
    parent = parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
