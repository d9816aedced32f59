"""Many inputs for one reader, each in a process that may die of it.

The reader is imported once; children are forked from there, and each works through numbers until it
dies or is done.  It has written before at which number it was.
"""

import json
import os
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from tools.fuzz.targets import Read, Target
from tools.fuzz.trial import InputOutcome, InputTrial, attempt, bound_memory

SECONDS = 10.0
"""Most that one input may take."""
BATCH = 500
"""Inputs a child: a fresh one now and then, so that what leaks is not taken for growth."""


@dataclass
class ReaderTally:
    """What came of all inputs of a reader.

    Parameters
    ----------
    name : str
        The reader.
    seed : int
        Of the inputs.
    counts : Counter of Outcome
        How many had each outcome.  What a library crashed on in the process of the reader, and was a
        declared error in production, counts as declared, and under ``contained`` too.
    contained : Counter of Outcome
        What would have happened without the separate process.
    places : Counter of str
        Lines of ours that raised declared errors.
    bad : list of Trial
        Everything else: bugs.
    growth : int
        Most bytes by which a process grew over an input.
    seconds : float
        It took so long.
    """

    name: str
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    contained: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    bad: list[InputTrial] = field(default_factory=list)
    growth: int = 0
    seconds: float = 0.0

    def add(self, trial: InputTrial) -> None:
        """Count one."""
        self.counts[trial.outcome] += 1
        self.growth = max(self.growth, trial.growth)
        if trial.outcome is InputOutcome.DECLARED:
            self.places[trial.where] += 1
        elif trial.outcome is not InputOutcome.READ:
            self.bad.append(trial)


def run(
    target: Target, seed: int, numbers: Sequence[int], progress: Callable[[int], None] = lambda done: None
) -> ReaderTally:
    """Try a reader.

    Parameters
    ----------
    target : Target
        The reader.
    seed : int
        Which family of inputs.
    numbers : sequence of int
        Which of them.
    progress : function
        Told how many are done.
    """
    tally = ReaderTally(target.name, seed)
    began = time.monotonic()
    for done, trial in enumerate(_trials(target, target.read, seed, numbers), start=1):
        fatal = trial.outcome in (InputOutcome.CRASH, InputOutcome.MEMORY, InputOutcome.TIMEOUT)
        if fatal and target.isolated is not None:
            again = next(_trials(target, target.isolated, seed, [trial.number]))
            if again.outcome in (InputOutcome.READ, InputOutcome.DECLARED):
                tally.contained[trial.outcome] += 1
                trial = again
        tally.add(trial)
        progress(done)
    tally.seconds = time.monotonic() - began
    return tally


def _trials(target: Target, read: Read, seed: int, numbers: Sequence[int]) -> Iterator[InputTrial]:
    done = 0
    while done < len(numbers):
        for trial in _child(target, read, seed, numbers[done : done + BATCH]):
            done += 1
            yield trial


def _child(target: Target, read: Read, seed: int, numbers: Sequence[int]) -> Iterator[InputTrial]:
    """The trials of one child, the one that it died of included."""
    out, into = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _work(target, read, seed, numbers, into)
    os.close(into)
    done, ended, timed_out = 0, False, False
    with os.fdopen(out, "rb", buffering=0) as pipe:
        pending = b""
        while not ended:
            ready, _, _ = select.select([pipe], [], [], SECONDS)
            if not ready:
                timed_out = True
                os.kill(pid, signal.SIGKILL)
                break
            piece = pipe.read(65536)
            ended = not piece
            *lines, pending = (pending + piece).split(b"\n")
            for line in lines:
                values = json.loads(line)
                if "fault" in values:
                    what = f"Input {numbers[done]} of {target.name}"
                    raise RuntimeError(f"{what} cannot be made:\n{values['fault']}")
                trial = InputTrial(**{**values, "outcome": InputOutcome(values["outcome"])})
                done += 1
                yield trial
    status = os.waitpid(pid, 0)[1]
    if done < len(numbers):
        code = os.waitstatus_to_exitcode(status)
        what = signal.Signals(-code).name if code < 0 else f"exit {code}"
        yield InputTrial(numbers[done], InputOutcome.TIMEOUT if timed_out else InputOutcome.CRASH, what)


def _work(target: Target, read: Read, seed: int, numbers: Sequence[int], into: int) -> None:
    """What a child does until it dies or is done."""
    code = 1
    try:
        # What the C libraries say of damaged files goes nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        bound_memory()
        for number in numbers:
            trial = attempt(target, read, seed, number)
            os.write(into, json.dumps(asdict(trial)).encode() + b"\n")
        code = 0
    except Exception:  # noqa: BLE001 - of the damage, not of what is tried; the parent tells it
        os.write(into, json.dumps({"fault": traceback.format_exc()}).encode() + b"\n")
    finally:
        with suppress(OSError):
            os.close(into)
        os._exit(code)
