"""One damaged input given to its reader, and what came of it, in a process that may die of it."""

import os
import resource
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from models.errors import HemostreamError
from tools.fuzz.targets import Input, Read, Target

ROOM = 512 * 2**20
"""Bytes of address space that a process may take beyond what it has when it begins."""
GROWTH, GROWTH_PER_BYTE = 48 * 2**20, 64
"""Bytes of memory that reading may need: some, and some for each byte of the input.  Buffers of the
libraries and modules that they import late are in the first number."""
LONGEST = 4000
"""Characters of a message that a person might still read."""


class InputOutcome(StrEnum):
    """What came of an input."""

    READ = "read"
    DECLARED = "declared"
    UNDECLARED = "undeclared"
    MEMORY = "memory"
    CRASH = "crash"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class InputTrial:
    """What came of one input.

    Parameters
    ----------
    number : int
        Which of the seed's inputs.
    outcome : Outcome
        What came of it.
    where : str
        File and line that raised, or the signal that killed.
    message : str
        The beginning of the error's message.
    growth : int
        Bytes by which the process grew at most while it read.
    size : int
        Bytes of the input.
    """

    number: int
    outcome: InputOutcome
    where: str = ""
    message: str = ""
    growth: int = 0
    size: int = 0


def bound_memory() -> None:
    """Let this process take only so much more; its own end for what asks for the impossible."""
    have = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (have + ROOM, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def attempt(target: Target, read: Read, seed: int, number: int) -> InputTrial:
    """Make an input, give it to a reader, and see."""
    files = target.input(seed, number)
    size = sum(map(len, files.values()))
    with _on_disk(files) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = _resident(fresh=True)
        outcome, where, message = _outcome(read, folder)
        growth = max(0, _resident(fresh=False) - before)
    if growth > GROWTH + GROWTH_PER_BYTE * size:
        outcome = InputOutcome.MEMORY
    return InputTrial(number, outcome, where, message, growth, size)


def _outcome(read: Read, folder: Path) -> tuple[InputOutcome, str, str]:
    try:
        read(folder)
    except HemostreamError as error:
        message = str(error)
        bound = _causes(error, MemoryError)
        fine = message.strip() and len(message) <= LONGEST
        outcome = InputOutcome.MEMORY if bound else InputOutcome.DECLARED if fine else InputOutcome.UNDECLARED
        return outcome, _where(error), message[:300]
    except MemoryError as error:
        return InputOutcome.MEMORY, _where(error), repr(error)[:300]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return InputOutcome.UNDECLARED, _where(error), repr(error)[:300]
    return InputOutcome.READ, "", ""


def _causes(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def _where(error: BaseException) -> str:
    """The last line of ours that an error came through."""
    house = str(Path(__file__).resolve().parents[2]) + os.sep
    lines = [
        f"{frame.filename.removeprefix(house)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(house) and f"{os.sep}tools{os.sep}fuzz" not in frame.filename
    ]
    return f"{type(error).__name__} {lines[-1] if lines else ''}".strip()


@contextmanager
def _on_disk(files: Input) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hemostream-fuzz-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for each, content in files.items():
            (folder / each).write_bytes(content)
        yield folder


def _resident(*, fresh: bool) -> int:
    """Bytes that this process has in memory now (and from now on counts its peak), or had at its peak."""
    if sys.platform != "linux":
        return 0
    if fresh:
        Path("/proc/self/clear_refs").write_text("5")
    text = Path("/proc/self/status").read_text()
    field = "VmRSS:" if fresh else "VmHWM:"
    return int(text.split(field)[1].split()[0]) * 1024
