"""Processes that share work, started once, when they are first needed.

Each process has a pipe of its own to this one, and there is no queue, lock or thread between them: a process
that is killed at any moment (while it starts, between calls, within one, while it answers) shows at the end
of its pipe, and Ctrl-C is answered at once, for all that this process does is to wait for those pipes.
"""

import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self, TypeVar

from models.errors import HemostreamError

T = TypeVar("T")

PATIENCE_S = 5.0
"""A process that has nothing to do and was asked to end is given so long, s."""


def how_many(asked: int) -> int:
    """How many processes are meant: so many, or one a core for 0; a HemostreamError under 0."""
    if asked < 0:
        raise HemostreamError(f"--workers is {asked}; expected 0 (one a core) or more.")
    return asked or os.cpu_count() or 1


class _Worker(NamedTuple):
    process: BaseProcess
    pipe: "Connection[Any, Any]"


class Workers:
    """So many processes, to be used within a ``with`` block; 1 computes here."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kill=kind is not None)

    @property
    def processes(self) -> tuple[BaseProcess, ...]:
        """Those that were started and not ended by us; one of them may have been killed meanwhile."""
        return tuple(worker.process for worker in self._workers)

    def each(self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> Iterator[tuple[int, T]]:
        """Results with the number of their call, in the order in which they come.

        Whoever stops before the last of them does not wait for work under way: it is done when the run is
        taken up again.  The function is one of a module, so that another process finds it.

        Raises
        ------
        HemostreamError
            A process ended by itself.
        """
        if self.count == 1 or not calls:
            for number, arguments in enumerate(calls):
                yield number, function(*arguments)
            return
        try:
            yield from self._shared(function, calls)
        except BaseException:  # what is still computed would be taken for answers to the next calls
            self._end(kill=True)
            raise

    def _shared(
        self, function: Callable[..., T], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, T]]:
        todo = deque(enumerate(calls))
        busy: dict[Connection[Any, Any], tuple[_Worker, int]] = {}

        def give(worker: _Worker) -> None:
            if todo:
                number, arguments = todo.popleft()
                self._send(worker, (function, arguments))
                busy[worker.pipe] = worker, number

        self._start(min(self.count, len(calls)))
        for worker in self._workers:
            give(worker)
        while busy:
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                worker, number = busy.pop(pipe)
                fine, outcome = self._receive(worker)
                if not fine:
                    raise outcome
                give(worker)
                yield number, outcome

    def _start(self, wanted: int) -> None:
        """Start what is lacking; all of them before any is waited for."""
        # Spawned, not forked: a fork of a process that has run torch may hang.
        context = get_context("spawn")
        while len(self._workers) < wanted:
            ours, theirs = context.Pipe()
            # The pipe is all that goes with the process: where one dies before it has read its arguments,
            # multiprocessing waits for ever; `_send` does not.
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with _no_interrupt():
                process.start()
                self._workers.append(_Worker(process, ours))
            theirs.close()  # so that the pipe ends with the process

    def _send(self, worker: _Worker, what: Any) -> None:
        try:
            worker.pipe.send(what)
        except ConnectionError as error:
            self._died(worker, error)

    def _receive(self, worker: _Worker) -> tuple[bool, Any]:
        try:
            answer: tuple[bool, Any] = worker.pipe.recv()
        except (EOFError, ConnectionError) as error:
            self._died(worker, error)
        return answer

    def _died(self, worker: _Worker, error: BaseException) -> NoReturn:
        worker.process.join(PATIENCE_S)  # its pipe has ended already
        code = worker.process.exitcode
        if code is not None and code < 0:
            why = f"was ended from outside (signal {-code}), as happens where memory runs out"
        else:
            why = f"ended by itself (exit code {code}); its output stands above"
        raise HemostreamError(
            f"One of {self.count} processes that shared the work {why}. What was done is kept: start "
            "the same command again, with fewer --workers if it was memory."
        ) from error

    def _end(self, *, kill: bool) -> None:
        """End all processes, those that may be at work at once: what came from them is not lost."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.pipe.close()
            if kill:
                worker.process.kill()
        for worker in workers:
            worker.process.join(PATIENCE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(PATIENCE_S)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C waits for a moment: so that no process is started and not known.

    What is started within never hears it: whoever started it ends it.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: "Connection[Any, Any]") -> None:
    """What a process does: answer calls until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_with_parent()
    with suppress(EOFError, OSError):  # whoever asked is not there any more
        while True:
            pipe.send_bytes(_answer(pipe.recv_bytes()))


def _answer(message: bytes) -> bytes:
    """What came of a call, as bytes: whether it went well, and the outcome or the error."""
    try:
        function, arguments = ForkingPickler.loads(message)
        return bytes(ForkingPickler.dumps((True, function(*arguments))))
    except Exception as error:  # noqa: BLE001 - the process's outermost edge: raised where it was asked for
        trace = "".join(traceback.format_exception(error)).rstrip()
        error.add_note(f"In a process that shared the work:\n{trace}")
        try:
            answer = bytes(ForkingPickler.dumps((False, error)))
            ForkingPickler.loads(answer)
        except Exception:  # noqa: BLE001 - an error that cannot be sent as it is, whatever is wrong with it
            answer = bytes(ForkingPickler.dumps((False, RuntimeError(trace))))
        return answer


def leave_with_parent() -> None:
    """End where whoever asked has ended: a process of a pool would wait for work that never comes."""
    parent = parent_process()
    assert parent is not None

    def leave() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=leave, daemon=True).start()
