"""Bad input through the real command line: what is wrong and what to do, and nothing is lost."""

import json
import shutil
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from models.bundle_files import CARD, WEIGHTS
from offline.recordings import read_recording
from offline.recordings.journal import read_journal
from offline.recordings.snirf_writer import write_snirf
from tests.offline.support import write_homer, write_table
from tests.system.support import Child, Commands, check_contiguous, read_decisions
from tools import cli

RECIPE = """
rate = 5.0
pipeline = [
    {stage = "optical_density", baseline_s = 5.0},
    {stage = "resample", measure_s = 5.0},
    {stage = "beer_lambert"},
    {stage = "normalise", memory_s = 30.0, warmup_s = 5.0},
]
[labels]
source = "events"
target = "event"
[labels.intervals]
rest = {events = ["1"], delay_s = 13.0, duration_s = 7.0}
task = {events = ["1"], delay_s = 2.0, duration_s = 10.0}
[model]
kind = "cgrnn"
[training]
epochs = 2
min_epochs = 1
[policy]
min_confidence = 0.0
"""


@dataclass(frozen=True)
class Material:
    """A small cohort of two-pair recordings of 120 s, its recipe, and what was trained on it."""

    folder: Path

    @property
    def recording(self) -> Path:
        return self.folder / "p0.nirs"

    @property
    def cohort(self) -> Path:
        return self.folder / "cohort.tsv"

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.toml"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Material:
    material = Material(tmp_path_factory.mktemp("good"))
    for person in range(3):
        write_homer(material.folder / f"p{person}.nirs", seed=person)
    write_table(material.folder, [(f"p{person}.nirs", f"p{person}") for person in range(3)])
    material.recipe.write_text(RECIPE)
    words = ("train", material.cohort, "--recipe", material.recipe, "--out", material.bundle)
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert not ended.value.code
    return material


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process; give its exit code and what it wrote to the error stream."""

    def call(*words: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


def check_message(code: int, message: str, *needed: str | Path) -> None:
    """Refused in one paragraph that names what a person needs to know."""
    assert code == 2, message
    assert message.startswith("hemostream: ")
    assert message.rstrip().count("\n") == 0, "one paragraph"
    assert "Traceback" not in message
    for word in needed:
        assert str(word) in message


def check_child_message(child: Child, *needed: str | Path) -> None:
    code = child.end()
    check_message(code, child.stderr.splitlines()[-1] if child.stderr else "", *needed)
    assert "Traceback" not in child.stderr


def altered(good: Material, path: Path, **changes: Callable[[np.ndarray], np.ndarray]) -> Path:
    """A copy of the recording with some of its variables changed."""
    held = loadmat(good.recording, simplify_cells=True)
    values = {name: value for name, value in held.items() if not name.startswith("__")}
    for name, change in changes.items():
        values[name] = change(values[name])
    savemat(path.with_suffix(".mat"), values)
    path.with_suffix(".mat").rename(path)
    return path


# ---------------------------------------------------------------------- recordings


def test_a_missing_wavelength(good: Material, tmp_path: Path, run: Run) -> None:
    held = loadmat(good.recording, simplify_cells=True)
    held["SD"]["MeasList"] = held["SD"]["MeasList"][:-1]
    path = altered(good, tmp_path / "a.nirs", d=lambda d: d[:, :-1], SD=lambda _: held["SD"])
    ended = run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*ended, path, "source 2 and detector 1 lack the wavelength 830 nm", "Restore the channel")
    assert not (tmp_path / "o.jsonl").exists()


def test_a_rate_that_is_too_low(good: Material, tmp_path: Path, run: Run) -> None:
    path = altered(good, tmp_path / "slow.nirs", t=lambda t: t * 5)
    out = tmp_path / "o.jsonl"
    out.write_text('{"schema":1} what was here before')
    ended = run("classify", path, "--model", good.bundle, "--out", out, "--overwrite")
    check_message(*ended, "comes at 1 Hz", "needs 5 Hz", "2.5 Hz or more", "use a model for this rate")
    assert out.read_text() == '{"schema":1} what was here before'


def test_a_repetition_time_in_milliseconds(good: Material, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "regions.tsv"
    path.write_text("a\tb\n" + "1.0\t2.0\n2.0\t1.0\n" * 30)
    words = ("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*run(*words, "--repetition-time", "2000"), "2000 s", "milliseconds?")
    check_message(*run(*words), "repetition time", "not known", "--repetition-time")


def test_a_rate_that_is_declared_wrong_is_measured(good: Material, tmp_path: Path, run: Run) -> None:
    """The clock of the samples counts, not what the stream says of its rate."""
    read = read_recording(good.recording)
    said_rate, true_times = 12.5, read.times
    path = write_xdf(tmp_path / "a.xdf", rate=said_rate, values=read.data.T, times=true_times)
    layout = tmp_path / "a.json"
    layout.write_text(json.dumps(side_file(said_rate)))
    xdf, nirs = tmp_path / "xdf.jsonl", tmp_path / "nirs.jsonl"
    assert read_recording(path, layout=layout).spec.rate == said_rate
    assert run("classify", path, "--layout", layout, "--model", good.bundle, "--out", xdf)[0] == 0
    assert run("classify", good.recording, "--model", good.bundle, "--out", nirs)[0] == 0
    wrong, right = read_decisions(xdf), read_decisions(nirs)
    assert len(wrong) == len(right)
    for one, other in zip(wrong, right, strict=True):
        assert one.window_end - one.window_start == pytest.approx(7.0)
        assert one.reasons == other.reasons
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-3)


def test_nan_is_missing_and_reported(good: Material, tmp_path: Path, run: Run) -> None:
    def holed(d: np.ndarray) -> np.ndarray:
        d[300:320, 1] = np.nan  # 60 to 64 s
        return d

    path = altered(good, tmp_path / "nan.nirs", d=holed)
    assert run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")[0] == 0
    decisions = read_decisions(tmp_path / "o.jsonl")
    check_contiguous(decisions)
    touched = [one for one in decisions if one.window_end > 60.2 and one.window_start < 63.8]
    assert all(one.abstained and one.coverage < 1 and one.largest_gap_s > 0 for one in touched if one.reasons)
    held_all = [one for one in decisions if one.window_start <= 60 and one.window_end >= 64.2]
    assert held_all
    assert all(set(one.reasons) == {"coverage", "gap"} for one in held_all)
    assert held_all[0].largest_gap_s == pytest.approx(4.0, abs=0.4)
    assert not any(one.abstained for one in decisions if one.window_start > 20 and one.window_end < 59)
    assert not any(one.abstained for one in decisions if one.window_start > 75)


def test_a_recording_of_nothing_but_nan(good: Material, tmp_path: Path, run: Run) -> None:
    path = altered(good, tmp_path / "nan.nirs", d=lambda d: np.full_like(d, np.nan))
    assert run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")[0] == 0
    decisions = read_decisions(tmp_path / "o.jsonl")
    check_contiguous(decisions)
    assert all(one.abstained and one.probabilities is None and one.coverage == 0 for one in decisions)
    assert decisions[-1].reasons == ("coverage", "gap")
    assert decisions[-1].window_end == pytest.approx(read_recording(path).duration, abs=1.0)


def test_a_truncated_snirf(good: Material, tmp_path: Path, run: Run) -> None:
    path = write_snirf(read_recording(good.recording), tmp_path / "whole.snirf")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    ended = run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*ended, path, "damaged, cut off, or no SNIRF file")


def side_file(rate: float) -> dict[str, object]:
    """What the rows of `write_xdf` are, as Cortivision's side file says it."""
    montage = [
        {"channel_idx": row, "source": f"S{pair}", "detector": "D1", "wavelength": nm, "type": "Long"}
        for row, (nm, pair) in enumerate((nm, pair) for nm in (690, 830) for pair in (1, 2))
    ]
    return {
        "SamplingFrequency": rate,
        "NIRSChannelCount": 4,
        "SourceDetectorSeparation": {"Long": "30 mm"},
        "ChMontage": montage,
    }


def write_xdf(path: Path, *, rate: float, values: np.ndarray, times: np.ndarray) -> Path:
    """An XDF file with one stream of type NIRS that says nothing of its channels."""

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    stream = struct.pack("<I", 1)
    header = (
        f"<info><name>Cap</name><type>NIRS</type><channel_count>{values.shape[1]}</channel_count>"
        f"<nominal_srate>{rate}</nominal_srate><channel_format>double64</channel_format><desc/></info>"
    )
    parts = [b"XDF:", chunk(1, b"<info><version>1.0</version></info>"), chunk(2, stream + header.encode())]
    for time, row in zip(times, values, strict=True):
        sample = b"\x08" + struct.pack("<d", time) + np.asarray(row, "<f8").tobytes()
        parts.append(chunk(3, stream + b"\x01\x01" + sample))
    parts.append(chunk(6, stream + f"<info><sample_count>{len(times)}</sample_count></info>".encode()))
    path.write_bytes(b"".join(parts))
    return path


def test_an_empty_xdf_stream(good: Material, tmp_path: Path, run: Run) -> None:
    path = write_xdf(tmp_path / "empty.xdf", rate=5.0, values=np.empty((0, 4)), times=np.empty(0))
    ended = run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*ended, path, "'Cap' (type NIRS, 4 channels", "is empty")


def test_a_stream_that_does_not_describe_itself(good: Material, tmp_path: Path, run: Run) -> None:
    path = write_xdf(tmp_path / "a.xdf", rate=5.0, values=np.ones((9, 4)), times=np.arange(9.0))
    ended = run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*ended, path, "--layout")


# ---------------------------------------------------------------------- recipes, bundles, paths


@pytest.mark.parametrize(
    ("right", "wrong", "needed"),
    [
        ("epochs = 2", "epoch = 2", ("training.epoch", "Did you mean 'epochs'?")),
        ('"beer_lambert"', '"beer_lamber"', ("beer_lamber", "Did you mean 'beer_lambert'?")),
        ('"cgrnn"', '"cgrn"', ("cgrn", "Did you mean 'cgrnn'?")),
        ("memory_s", "memry_s", ("memry_s", "Did you mean 'memory_s'?")),
        ("rate = 5.0", 'rate = "5"', ("rate", "'5'")),
        ("rate = 5.0", "rate = 5.1", ("7", "5.1", "whole number")),
        ("duration_s = 7.0", "duration_s = 6.0", ("rest", "6.0", "7.0")),
        (
            "rate = 5.0",
            'rate = 5.0\ninput = {channels = ["S1_D1 690", "S9_D1 690"]}',
            ("'S9_D1 690'", "S1_D1 690"),
        ),
    ],
)
def test_a_recipe_with_a_mistake(
    good: Material, tmp_path: Path, run: Run, right: str, wrong: str, needed: tuple[str, ...]
) -> None:
    path = tmp_path / "recipe.toml"
    assert right in RECIPE
    path.write_text(RECIPE.replace(right, wrong))
    check_message(*run("train", good.cohort, "--recipe", path, "--out", tmp_path / "b"), *needed)
    assert not (tmp_path / "b").exists()


def test_names_of_recipes_and_people(good: Material, tmp_path: Path, run: Run) -> None:
    out = ("--out", tmp_path / "b")
    check_message(
        *run("train", good.cohort, "--recipe", "taping", *out), "'taping'", "Did you mean 'tapping'?"
    )
    words = ("train", good.cohort, "--recipe", good.recipe, *out)
    check_message(*run(*words, "--exclude-person", "p9"), "'p9'", "Known: p0, p1, p2")
    check_message(*run(*words, "--first", "2"), "2.0", "fractions from 0 to 1")


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
def test_a_bundle_that_was_tampered_with(good: Material, tmp_path: Path, run: Run, name: str) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(good.bundle, bundle)
    content = bytearray((bundle / name).read_bytes())
    at = len(content) - 40 if name == WEIGHTS else content.index(b"task")
    content[at] ^= 1
    (bundle / name).write_bytes(content)
    for command in (
        ("classify", good.recording, "--model", bundle, "--out", tmp_path / "o.jsonl"),
        ("live", "--model", bundle, "--journal", tmp_path / "bed.hemostream"),
    ):
        check_message(*run(*command), bundle, "train again")
    assert not (tmp_path / "bed.hemostream").exists()


def test_a_bundle_that_is_not_the_one_asked_for(good: Material, tmp_path: Path, run: Run) -> None:
    found = json.loads((good.bundle / CARD).read_text())["hash"]
    words = ("classify", good.recording, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*run(*words, "--model-hash", "0123456789ab"), found, "0123456789ab", "was asked for")
    assert run(*words, "--model-hash", found[:12])[0] == 0


def test_a_recording_that_lacks_channels(good: Material, tmp_path: Path, run: Run) -> None:
    path = write_homer(tmp_path / "one.nirs", seed=3, pairs=1)
    ended = run("classify", path, "--model", good.bundle, "--out", tmp_path / "o.jsonl")
    check_message(*ended, "2 of the 4 channels", "S2_D1 690", "S2_D1 830", "S1_D1 690", "Use a model")


def test_files_that_are_not_there(good: Material, tmp_path: Path, run: Run) -> None:
    nothing, out = tmp_path / "nothing", tmp_path / "o.jsonl"
    model = ("--model", good.bundle)
    check_message(*run("classify", tmp_path / "no.snirf", *model, "--out", out), "no.snirf")
    check_message(*run("classify", good.recording, "--model", nothing, "--out", out), nothing, CARD)
    check_message(*run("classify", good.recording, *model, "--out", nothing / "o.jsonl"), nothing)
    check_message(*run("train", nothing, "--recipe", good.recipe, "--out", tmp_path / "b"), nothing)
    check_message(*run("replay", nothing), nothing)
    check_message(*run("export", nothing, tmp_path / "o.snirf"), nothing)
    check_message(*run("live", *model, "--layout", nothing), nothing)
    check_message(*run("live", *model, "--out", nothing / "o.jsonl"), nothing)
    check_message(*run("live", *model, "--journal", nothing / "bed.hemostream"), nothing, "no folder")
    check_message(*run("live", *model, "--journal", good.cohort), good.cohort, "journal")
    check_message(*run("export", good.recording, tmp_path / "o.snirf"), good.recording, "journal")


def test_a_folder_that_holds_something_else_is_left_alone(good: Material, tmp_path: Path, run: Run) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ended = run("train", good.cohort, "--recipe", good.recipe, "--out", tmp_path)
    check_message(*ended, tmp_path, "thesis.txt", "nothing was written")
    ended = run("simulate", tmp_path, "--people", "1")
    check_message(*ended, tmp_path, "thesis.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


def test_brokers_that_cannot_be(good: Material, tmp_path: Path, run: Run) -> None:
    words = ("live", "--model", good.bundle, "--journal", tmp_path / "bed.hemostream", "--broker")
    check_message(*run(*words, "http://here"), "'http://here'", "mqtt://HOST:PORT")
    check_message(*run(*words, "mqtt://127.0.0.1:99999"), "0-65535")
    check_message(*run(*words, "mqtt://192.0.2.1"), "192.0.2.1", "mqtts://", "HEMOSTREAM_MQTT_USER")


def test_times_that_cannot_be(good: Material, tmp_path: Path, run: Run) -> None:
    live = ("live", "--model", good.bundle, "--journal", tmp_path / "bed.hemostream")
    check_message(*run(*live, "--seconds", "0"), "--seconds is 0", "more than 0")
    check_message(*run(*live, "--wait", "-5"), "--wait is -5", "more than 0")
    check_message(*run("demo", "--headless", "--seconds", "-1"), "--seconds is -1", "more than 0")
    check_message(*run("replay", good.recording, "--speed", "0"), "Speed is 0.0", "above 0")
    check_message(*run("replay", good.recording, "--start", "500"), "119.8 s", "--start")
    assert not (tmp_path / "bed.hemostream").exists()


# ---------------------------------------------------------------------- streams


def test_streams_that_cannot_be_taken(good: Material, tmp_path: Path, commands: Commands) -> None:
    """Several, none, a replay that was not allowed, a montage that does not fit: each says what it saw."""
    other = write_homer(tmp_path / "other.nirs", seed=4, pairs=1)
    senders = {
        name: commands.start("replay", path, "--source-id", name, "--name", f"cap {name}")
        for name, path in {"one": good.recording, "other": other}.items()
    }

    def live(name: str, *words: str, wait: str = "3") -> Child:
        return commands.start(
            *("live", "--model", good.bundle, "--quiet", "--session", name, "--wait", wait),
            *("--journal", tmp_path / f"{name}.hemostream", *words),
        )

    # The first that finds exactly one tells that it is there; then the rest.
    refused = {
        name: live(f"refused-{name}", "--stream", f"source_id='{name}'", wait="30") for name in senders
    }
    for name, child in refused.items():
        check_child_message(child, f"'cap {name}'", "replayed, not live", "--allow-replay")
    several = live("several", "--allow-replay")
    absent = live("absent", "--stream", "name='Aurora'")
    misfit = live("misfit", "--allow-replay", "--stream", "source_id='other'")
    check_child_message(several, "2 streams match", "'one'", "'other'", "4 channels", "--stream")
    check_child_message(absent, "name='Aurora'", "after 3 s", "'cap one'", "'cap other'", "type NIRS")
    check_child_message(misfit, "2 of the 4 channels", "S2_D1 690", "S2_D1 830", "Found 2")

    assert all(sender.running for sender in senders.values()), "none was ended for nothing"
    check_nothing_beside(tmp_path / "misfit.hemostream")
    assert not [path.name for name in ("several", "absent") for path in tmp_path.glob(f"{name}.hemostream*")]


def check_nothing_beside(journal: Path) -> None:
    """No half of a journal lies there; where no stream was ever opened, none at all."""
    beside = sorted(path.name for path in journal.parent.glob(f"{journal.name}*"))
    assert beside in ([], [journal.name])


@pytest.mark.parametrize("taken", [False, True], ids=["none listens", "somebody else listens"])
def test_a_session_without_a_broker_goes_on(
    good: Material, tmp_path: Path, commands: Commands, taken: bool
) -> None:
    """The port may be free, or in use by a program that is no broker."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if taken:
            other.listen()
        url = f"mqtt://127.0.0.1:{other.getsockname()[1]}"
        commands.start("replay", good.recording, "--source-id", "one", "--speed", "20")
        journal, out = tmp_path / "bed.hemostream", tmp_path / "live.jsonl"
        live = commands.start(
            *("live", "--model", good.bundle, "--quiet", "--allow-replay", "--broker", url),
            *("--journal", journal, "--out", out),
        )
        # Who listens and never answers is told from a broker by waiting only, ten seconds long.
        live.wait_for(lambda: "The session goes on" in live.stderr, "word of the broker")
        live.wait_for(lambda: out.read_text().count('"reasons":[]') > 3, "decisions all the same")
        assert live.interrupt() == 0, live.stderr
    assert f"Broker {url} is not connected" in live.stderr
    assert "has not acknowledged" in live.stderr
    assert "Traceback" not in live.stderr
    check_nothing_beside(journal)
    check_contiguous(read_decisions(out))
    check_same_again(commands, good, journal, out)


def check_same_again(commands: Commands, good: Material, journal: Path, out: Path) -> None:
    again = out.with_name("again.jsonl")
    commands.succeed("classify", journal, "--model", good.bundle, "--out", again)
    assert again.read_text() == out.read_text() != ""


def test_a_killed_session_loses_nothing_and_its_journal_is_its_own(
    good: Material, tmp_path: Path, commands: Commands
) -> None:
    """What was decided before the power went is in the journal; two sessions cannot write one journal."""
    commands.start("replay", good.recording, "--source-id", "one", "--speed", "4")
    journal, out = tmp_path / "bed.hemostream", tmp_path / "live.jsonl"
    words = ("live", "--model", good.bundle, "--quiet", "--allow-replay", "--journal", journal)
    live = commands.start(*words, "--session", "bed-1", "--stream", "source_id='one'", "--out", out)
    live.wait_for(lambda: out.exists() and out.read_text().count("\n") >= 12, "twelve decisions")
    same, other = (commands.start(*words, "--session", name, "--wait", "1") for name in ("bed-1", "bed-2"))
    check_child_message(same, journal, "another session")
    check_child_message(other, journal, "'bed-1'")
    before = out.read_text().count("\n")
    live.wait_for(lambda: out.read_text().count("\n") > before, "it to go on")
    live.kill()

    again = tmp_path / "again.jsonl"
    commands.succeed("classify", journal, "--model", good.bundle, "--out", again)
    # Committed first, published then: what anybody has seen, the journal has.
    assert again.read_text().startswith(out.read_text())
    was, now = read_recording(good.recording), read_journal(journal)
    assert len(now.times) > 5 * (before + 5)
    np.testing.assert_array_equal(now.data, was.data[:, : len(now.times)])


def test_a_stream_that_is_too_slow_ends_the_session_with_what_came(
    good: Material, tmp_path: Path, commands: Commands
) -> None:
    slow = altered(good, tmp_path / "slow.nirs", t=lambda t: t * 5)
    commands.start("replay", slow, "--source-id", "slow", "--speed", "20")
    journal = tmp_path / "bed.hemostream"
    live = commands.start(
        *("live", "--model", good.bundle, "--quiet", "--allow-replay", "--journal", journal),
    )
    check_child_message(live, "comes at 1 Hz", "needs 5 Hz", "use a model for this rate")
    check_nothing_beside(journal)
    commands.succeed("export", journal, tmp_path / "bed.snirf")
    was, now = read_recording(slow), read_recording(tmp_path / "bed.snirf")
    assert len(now.times) >= 5
    np.testing.assert_array_equal(now.data, was.data[:, : len(now.times)])
