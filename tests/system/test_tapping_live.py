"""The one test in real time: a held-out person's recording over LSL, predicted live, published by MQTT."""

import sqlite3
from contextlib import closing
from pathlib import Path

import mne
import numpy as np

from offline.recordings import read_recording
from offline.samples.recipe import load_recipe
from realtime.decision import Decision
from realtime.status import State, Status
from tests.system.support import (
    Commands,
    Report,
    Subscriber,
    check_contiguous,
    check_parity,
    decisions_of,
    judged_windows,
    read_decisions,
    recipe_with,
    score,
    wait_until,
)

SESSION = "bed-7"
SOURCE_ID = "tapping-system-test"
LAST_SEQUENCE = 115
"""Windows begin every second from the first sample: with this one, 122 s have been streamed."""


def test_a_held_out_person_in_real_time(
    data_dir: Path, tmp_path: Path, commands: Commands, mosquitto_port: int, report: Report
) -> None:
    tapping = data_dir / "fnirs" / "homer3_tapping"
    recording = tapping / "subj2" / "20130904_FingerTapping.nirs"
    cohort, bundle, journal = tmp_path / "cohort.tsv", tmp_path / "bundle", tmp_path / "bed.hemostream"
    rows = [f"{path}\t{path.parent.name}" for path in sorted(tapping.glob("subj*/*.nirs"))]
    cohort.write_text("\n".join(["recording\tperson", *rows]) + "\n")
    commands.succeed(
        *("train", cohort, "--recipe", recipe_with("tapping", tmp_path), "--exclude-person", "subj2"),
        *("--out", bundle),
    )

    subscriber = Subscriber(mosquitto_port, SESSION)
    try:
        commands.start("replay", recording, "--source-id", SOURCE_ID, "--wait", "60")
        live = commands.start(
            *("live", "--model", bundle, "--stream", f"source_id='{SOURCE_ID}'", "--allow-replay"),
            *("--broker", f"mqtt://127.0.0.1:{mosquitto_port}", "--journal", journal, "--session", SESSION),
            *("--out", tmp_path / "live.jsonl", "--quiet"),
        )
        commands.succeed("classify", recording, "--model", bundle, "--out", tmp_path / "file.jsonl")
        live.wait_for(lambda: len(subscriber.decisions) > LAST_SEQUENCE, "two minutes of decisions", 240)
        assert live.interrupt() == 0, live.stderr
        assert not subscriber.lost_connection
    finally:
        subscriber.close()

    # Everything was published once, in order, and the same everywhere.
    published = subscriber.decisions
    decisions = decisions_of(published)
    check_contiguous(decisions)
    assert {one.identity[:2] for one in decisions} == {(SESSION, 1)}
    assert {one.origin for one in decisions} == {"replayed"}
    assert (tmp_path / "live.jsonl").read_text().splitlines() == published
    assert f"{judged_windows(decisions, abstained=True)} windows decided" in live.stdout
    assert live.stderr == ""

    check_goodbye(mosquitto_port)
    check_closed(journal)

    # The journal fed back gives what was published, byte for byte.
    commands.succeed("classify", journal, "--model", bundle, "--out", tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_text().splitlines() == published

    # The file, classified without any of this, gives the same.
    from_file = read_decisions(tmp_path / "file.jsonl")
    both, apart = check_parity(decisions, from_file)
    assert both >= 50, "the recipe warms up in a minute, and two were streamed"

    commands.succeed("export", journal, tmp_path / "bed.snirf")
    check_export(tmp_path / "bed.snirf", recording, decisions)

    recipe, read = load_recipe("tapping"), read_recording(recording)
    for what, some in {"live": decisions, "whole file": from_file}.items():
        n, accuracy, majority = score(some, recipe, read)
        report(
            f"tapping, subj2 unseen, {what}: {n} windows, accuracy {accuracy:.3f}, majority {majority:.3f}"
        )
    report(f"tapping, live against file: {both} windows, probabilities at most {apart:.1e} apart")


def check_goodbye(port: int) -> None:
    """Who subscribes later finds a session that reported its end, and no old decision."""
    late = Subscriber(port, SESSION)
    try:
        wait_until(lambda: late.messages, "the retained status", 10)
    finally:
        late.close()
    ((kind, payload, retained),) = late.messages
    status = Status.from_json(payload)
    assert (kind, retained, status.state, status.reason) == ("status", True, State.OFFLINE, "session ended")
    assert status.journal is not None
    assert (status.journal.dropped, status.journal.failing) == (0, False)


def check_closed(journal: Path) -> None:
    """The journal is closed, whole, and stands alone."""
    beside = sorted(path.name for path in journal.parent.glob(f"*{journal.name}*"))
    assert beside == [journal.name]
    with closing(sqlite3.connect(journal)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_export(exported: Path, recording: Path, decisions: list[Decision]) -> None:
    """What was journaled is what the recording holds, sample by sample, by our reader and by MNE's."""
    was, now = read_recording(recording), read_recording(exported)
    n = len(now.times)
    assert now.duration >= 120.0
    assert now.spec == was.spec
    np.testing.assert_array_equal(now.data, was.data[:, :n])
    # Stamps are put on this machine's clock by an offset that is measured, to some 10 us.
    np.testing.assert_allclose(now.times - now.times[0], was.times[:n] - was.times[0], atol=2e-3)
    shift = float(now.times[0] - was.times[0])
    heard = [event for event in was.events if event.onset + shift < now.times[-1]]
    assert [event.label for event in now.events] == [event.label for event in heard]
    np.testing.assert_allclose(
        [event.onset - shift for event in now.events], [event.onset for event in heard], atol=2e-3
    )
    # Windows stand where the samples stand: a window's index tells which seconds of the file it saw.
    assert abs(decisions[0].window_start - now.times[0]) < 0.25 / was.spec.rate

    raw = mne.io.read_raw_snirf(exported, preload=True, verbose="error")
    assert raw.n_times == n
    by_name = dict(zip([channel.name for channel in was.spec.channels], was.data, strict=True))
    assert set(raw.ch_names) == set(by_name)
    for name, row in zip(raw.ch_names, raw.get_data(), strict=True):
        np.testing.assert_array_equal(row, by_name[name][:n])
