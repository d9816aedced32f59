"""Damaged input for every reader: only errors that are declared, and bounded memory.

Each reader is tried by a process of its own with a fixed budget and fixed seeds; ten thousand each with
``make fuzz``.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.fuzz.targets import TARGETS
from tools.fuzz.trial import InputOutcome

HOUSE = Path(__file__).resolve().parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded and measured as Linux does")

INPUTS = {"snirf": 200, "homer": 400}
"""Where a reader is slow; all others get `OTHERS`."""
OTHERS = 600

EVER_WRONG = {
    "snirf": (12, 35, 118, 121, 258, 4677),
    "homer": (326, 350),
    "nirx": (840, 1001),
    "xdf": (157, 379, 538, 545),
    "series": (741, 744),
    "journal": (133, 293, 380, 395, 853, 1235, 1327),
    "layout": (10, 153, 664, 1972),
    "description": (1172, 2568),
    "cohort": (359, 391),
    "decision": (0, 1, 4, 8, 13, 65, 79, 90, 123, 237, 297),
    "status": (0, 1, 2, 3, 11, 14, 19, 57, 79, 80, 103, 130, 151),
    "bundle": (20, 297, 345, 455, 660, 699, 1368),
    "scan_bundle": (1253,),
}
"""Numbers, under seed 0, of inputs that once were something else than a declared error (or their like: a
library that writes other bytes makes other inputs of the same numbers)."""
ONE_DOOR = {"nirx": 1, "decision": 2, "status": 2, "signals": 2, "alarms": 2}
"""Readers that catch everything in fewer places than the others."""


EVERY_READER = """
import json, sys
from tools.fuzz.__main__ import main

print(json.dumps([main(words) for words in json.load(sys.stdin)]))
"""


def fuzz(options, folder):
    """Run the command once a reader with these options, all in one process; what each found, by reader."""
    words = [[name, *more, "--json", str(folder / f"{name}.json")] for name, more in options.items()]
    done = subprocess.run(
        [sys.executable, "-c", EVERY_READER],
        input=json.dumps(words),
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    codes = dict(zip(options, json.loads(done.stdout.splitlines()[-1]), strict=True))
    return {name: (codes[name], json.loads((folder / f"{name}.json").read_text())) for name in options}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    options = {name: ("--inputs", str(INPUTS.get(name, OTHERS)), "--seed", "1") for name in TARGETS}
    return fuzz(options, tmp_path_factory.mktemp("damaged"))


@pytest.fixture(scope="module")
def ever_wrong(tmp_path_factory):
    options = {name: ("--only", ",".join(map(str, chosen))) for name, chosen in EVER_WRONG.items()}
    return fuzz(options, tmp_path_factory.mktemp("ever-wrong"))


@linux
@pytest.mark.parametrize("name", TARGETS)
def test_only_declared_errors_and_bounded_memory(name, damaged):
    inputs = INPUTS.get(name, OTHERS)
    code, (tally,) = damaged[name]
    assert code == 0, tally["bad"]
    counts = tally["counts"]
    assert set(counts) <= {"read", "declared"}
    assert sum(counts.values()) == inputs
    assert counts["read"] > 0, "damage that leaves nothing to read tests nothing"
    assert len(tally["places"]) >= ONE_DOOR.get(name, 3), (
        "damage that is refused at the door tests nothing behind it"
    )


@linux
@pytest.mark.parametrize("name", EVER_WRONG)
def test_what_was_ever_wrong(name, ever_wrong):
    code, (tally,) = ever_wrong[name]
    assert code == 0, tally["bad"]
    assert sum(tally["counts"].values()) == len(EVER_WRONG[name])


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_whole(name, tmp_path):
    target = TARGETS[name]()
    for number, files in enumerate(target.seeds):
        if name == "homer" and number == 3:
            continue  # the head of a MATLAB 7.3 file, which is refused by name
        folder = tmp_path / str(number)
        folder.mkdir()
        for each, content in files.items():
            (folder / each).write_bytes(content)
        if name == "description":
            continue  # what vendors leave out is an error too
        target.read(folder)


@pytest.mark.parametrize("name", TARGETS)
def test_an_input_has_a_name(name):
    first, again = TARGETS[name](), TARGETS[name]()
    for number in range(20):
        assert first.input(3, number) == again.input(3, number)
    assert any(first.input(3, n) != first.input(4, n) for n in range(5))


@linux
@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        ("lambda folder: bytearray(GROWTH + GROWTH_PER_BYTE * 10_000 + 2**24)", InputOutcome.MEMORY),
        ("lambda folder: {}['not ours']", InputOutcome.UNDECLARED),
    ],
)
def test_what_is_wrong_is_seen(read, outcome):
    # In a process of its own, as every input is tried: what else lives in this one hides the growth.
    code = f"""
from tools.fuzz.targets import TARGETS
from tools.fuzz.trial import GROWTH, GROWTH_PER_BYTE, attempt
print(attempt(TARGETS["cohort"](), {read}, 0, 0).outcome)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == outcome, done.stderr


@linux
def test_a_crash_and_a_hang_are_seen_and_the_rest_is_tried():
    # In a process of its own: children are forked, which a process with threads should not do.
    code = """
import os, signal, time, dataclasses
from tools.fuzz import runner
from tools.fuzz.targets import TARGETS
runner.SECONDS = 1.0
target = TARGETS["cohort"]()
calls = []
class Counted:
    def __init__(self): self.n = 0
    def __call__(self, folder):
        self.n += 1
        if self.n == 3: os.kill(os.getpid(), signal.SIGSEGV)
        if self.n == 5: time.sleep(60)
tally = runner.run(dataclasses.replace(target, read=Counted()), 0, range(12))
bad = [(trial.number, trial.outcome.value, trial.where) for trial in tally.bad]
# Each child counts anew from its fork.
assert bad == [(n, "crash", "SIGSEGV") for n in (2, 5, 8, 11)], bad
assert tally.counts["read"] == 8
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    hang = code.replace("self.n == 3", "self.n == 30").replace("range(12)", "range(6)")
    hang = hang.split("# Each child")[0] + 'assert bad == [(4, "timeout", "SIGKILL")], bad\n'
    done = subprocess.run([sys.executable, "-c", hang], cwd=HOUSE, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
