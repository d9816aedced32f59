"""Hemostream as a user runs it: the command line in processes of its own, and what they leave behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from offline.samples.recipe import Recipe
from realtime.decision import Decision
from realtime.sources.recording import Recording

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tools.cli")
DEADLINE_S = 60.0
Report = Callable[[str], None]
"""Notes a line for the end of the run: figures that a person wants to see and no test asserts."""


def wait_until(holds: Callable[[], object], why: str, within_s: float = DEADLINE_S) -> None:
    """Wait until a condition holds, or fail saying what was waited for."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"waited {within_s:g} s in vain for {why}"
        time.sleep(0.02)


class Child:
    """A command in a process of its own; what it says goes to files."""

    def __init__(self, words: Sequence[str | Path], folder: Path, env: Mapping[str, str]) -> None:
        self.words = [str(word) for word in words]
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *self.words], stdout=out, stderr=err, cwd=ROOT, env=dict(env)
            )

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def wait_for(self, holds: Callable[[], object], why: str, within_s: float = DEADLINE_S) -> None:
        """Wait for a condition as long as the command runs."""
        wait_until(lambda: holds() or not self.running, why, within_s)
        assert holds(), f"{self.words[0]} ended with {self.process.returncode} before {why}: {self.stderr}"

    def end(self, within_s: float = DEADLINE_S) -> int:
        """Wait for the end; give the exit code."""
        return self.process.wait(within_s)

    def interrupt(self, within_s: float = DEADLINE_S) -> int:
        """What Ctrl-C does; give the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.end(within_s)

    def kill(self) -> None:
        if self.running:
            self.process.kill()
        self.process.wait(10)


class Commands:
    """Runs commands that meet only each other on LSL, and ends them all."""

    def __init__(self, folder: Path, lsl_config: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []
        self.env = {**os.environ, "LSLAPICFG": str(lsl_config), "OMP_NUM_THREADS": "1"}

    def start(self, *words: str | Path) -> Child:
        """Start a command and let it run."""
        folder = self._folder / f"child-{len(self._children)}"
        folder.mkdir()
        child = Child(words, folder, self.env)
        self._children.append(child)
        return child

    def run(self, *words: str | Path, within_s: float = DEADLINE_S) -> Child:
        """Run a command to its end."""
        child = self.start(*words)
        child.end(within_s)
        return child

    def succeed(self, *words: str | Path, within_s: float = DEADLINE_S) -> Child:
        """Run a command that must succeed."""
        child = self.run(*words, within_s=within_s)
        assert child.process.returncode == 0, child.stderr
        return child

    def close(self) -> None:
        for child in self._children:
            child.kill()


class Subscriber:
    """A plain paho client on its own thread: knows a session by its topic and by nothing else."""

    def __init__(self, port: int, session: str) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self.lost_connection = False
        self._ready = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311)
        self._client.on_connect = lambda client, *_: client.subscribe(f"hemostream/{session}/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take
        self._client.on_disconnect = self._disconnected
        self._closing = False
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(10), "the broker does not take a subscription"

    def _take(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        what = message.topic.split("/", 2)[2]
        if what in ("status", "decision", "history"):
            self.messages.append((what, message.payload, message.retain))

    def _disconnected(self, *_: Any) -> None:
        self.lost_connection |= not self._closing

    @property
    def decisions(self) -> list[str]:
        """JSON of the decisions so far, in order of arrival."""
        return [payload.decode() for kind, payload, _ in list(self.messages) if kind == "decision"]

    def close(self) -> None:
        self._closing = True
        self._client.disconnect()
        self._client.loop_stop()


def decisions_of(lines: Sequence[str]) -> list[Decision]:
    return [Decision.from_json(line) for line in lines]


def read_decisions(path: Path) -> list[Decision]:
    return decisions_of(path.read_text().splitlines())


def check_contiguous(decisions: Sequence[Decision]) -> None:
    """Every grid index once, none missing, in order."""
    expected = 0
    for decision in decisions:
        assert decision.sequence == expected
        expected += decision.count


def judged_windows(decisions: Sequence[Decision], *, abstained: bool = False) -> int:
    """How many windows were predicted, or decided at all."""
    return sum(one.count for one in decisions if abstained or not one.abstained)


def check_parity(live: Sequence[Decision], file: Sequence[Decision]) -> tuple[int, float]:
    """Windows that both predicted have the same label; give how many, and how far apart at most.

    Both began with the same sample, so a window's index says which it is.
    """
    by_sequence = {decision.sequence: decision for decision in file}
    both, furthest = 0, 0.0
    for one in live:
        other = by_sequence.get(one.sequence)
        assert other is not None, f"the file has no window {one.sequence}"
        assert one.count == other.count
        # Over a wire it may be late, and each way tells by itself how true its times are.
        own = {"stale", "timing"}
        assert set(one.reasons) - own == set(other.reasons) - own
        if one.probabilities is None or other.probabilities is None:
            continue
        both += 1
        assert one.probabilities.keys() == other.probabilities.keys()
        apart = max(abs(one.probabilities[label] - other.probabilities[label]) for label in one.probabilities)
        assert apart <= 1e-3, f"window {one.sequence}: probabilities {apart:g} apart"
        furthest = max(furthest, apart)
        first, second = sorted(other.probabilities.values(), reverse=True)[:2]
        if first - second > 2e-3 and not (one.abstained or other.abstained):
            assert one.label == other.label
    return both, furthest


def score(
    decisions: Sequence[Decision], recipe: Recipe, recording: Recording, *, since: float = 0.0
) -> tuple[int, float, float]:
    """Predicted and labelled windows that begin so many seconds into the recording: number, accuracy,
    majority rate."""
    start = float(recording.times[0])
    pairs = []
    for one in decisions:
        begin = start + one.sequence * recipe.window.step_s
        true = recipe.labels.label_of(begin, begin + recipe.window.length_s, recording.events)
        if begin - start >= since and not one.abstained and true is not None:
            pairs.append((true, one.label))
    if not pairs:
        return 0, float("nan"), float("nan")
    truth = [true for true, _ in pairs]
    most = max(truth.count(label) for label in set(truth))
    return len(pairs), sum(true == label for true, label in pairs) / len(pairs), most / len(pairs)


def recipe_with(name: str, folder: Path, **changes: str) -> Path:
    """A recipe that ships with hemostream, with lines added below their section; every label is shown."""
    text = (ROOT / "offline" / "recipes" / f"{name}.toml").read_text()
    if "[policy]\n" not in text:
        text += "\n[policy]\n"
    changes["policy"] = "min_confidence = 0.0"
    for old, new in changes.items():
        before = text
        text = text.replace(f"[{old}]\n", f"[{old}]\n{new}\n", 1)
        assert text != before
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path
