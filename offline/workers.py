"""Processes that share work, started once, when they are first needed."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from types import TracebackType
from typing import Any, Self, TypeVar

from models.errors import HemostreamError

T = TypeVar("T")


class Workers:
    """Processes to be used within a ``with`` block.

    Parameters
    ----------
    count : int
        Processes; 1 computes here.
    begin : callable, optional
        Called in each process before anything else; not where work is done here.
    arguments : tuple
        Of ``begin``.
    """

    def __init__(
        self, count: int = 1, begin: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
    ) -> None:
        self.count = count
        self._begin = (begin, arguments)
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None and kind is not None:
            # Whoever stops does not wait for work under way: it is done when the run is taken up again.  A
            # pool has no public way to end its processes before Python 3.14.
            for process in list(self._pool._processes.values()):
                process.terminate()
        self._close()

    def _close(self) -> None:
        if self._pool is not None:
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

        Raises
        ------
        HemostreamError
            A process ended by itself.
        """
        if self.count == 1 or not calls:
            for number, arguments in enumerate(calls):
                yield number, function(*arguments)
            return
        if self._pool is None:
            # Spawned, not forked: a fork of a process that has run torch may hang.
            self._pool = ProcessPoolExecutor(
                self.count, mp_context=get_context("spawn"), initializer=_begin, initargs=self._begin
            )
        waiting: dict[Future[T], int] = {}
        try:
            # A process may have been ended while nobody asked for anything: then this fails already.
            waiting |= {self._pool.submit(function, *call): number for number, call in enumerate(calls)}
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool as error:
            self._close()
            raise HemostreamError(
                f"One of {self.count} processes that shared the work was ended from outside, as happens "
                "where memory runs out. What was done is kept: start the same command again with fewer "
                "--workers."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    leave_with_parent()
    if begin is not None:
        begin(*arguments)


def leave_with_parent() -> None:
    """End where whoever asked has ended: a process of a pool would wait for work that never comes."""
    parent = parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
