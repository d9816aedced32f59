"""From a scanner's files to decisions, with real processes: every volume once, none wrong, whatever goes
wrong."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from models.bundle import write_bundle
from models.cards.window_card import CardEvidence, ModelSpec, WindowCard, WindowSettings
from models.networks.registry import make_model
from offline.recordings.journal import read_journal
from realtime.log import Received
from realtime.signal import SignalSpec
from realtime.sinks.journal.journal import read_decisions
from realtime.sinks.journal.reader import read_journal_entries
from realtime.sources.scanner.outlet import region_channels
from realtime.sources.scanner.reading import read_images
from realtime.volumes.atlas import RegionMeans
from tools.emulators.scanner.phantom import ellipsoid_atlas
from tools.emulators.scanner.written_atlas import save_atlas
from tools.faults.scanner import ROWS, ScannerRow, play

ROOT = Path(__file__).parents[2]
SPEED = 10.0
TOGETHER = ScannerRow(
    "several at once",
    ("truncated:at=1", "slow:at=3,by=0.6", "missing:at=5", "twice:at=8", "swap:at=10", "foreign:at=4"),
    lost=(5,),
    count=14,
)
"""Faults of files that do not touch each other, in one run."""


def check(row: ScannerRow, folder: Path, form: str) -> None:
    found = play(row, folder, form, SPEED, os.environ)
    assert found.code == 0, found.stderr
    assert found.numbers == [n for n in range(1, row.count + 1) if n not in row.lost], found.stderr
    assert found.wrong == 0
    assert found.lines == len(found.numbers)
    assert (found.steps > 0).all()
    if row.said is not None:
        assert found.remarks.get(row.said), found.stderr
    if row.no_room:
        assert "cannot be written" in found.stderr
        assert "written again" in found.stderr
    if row.lost and row.name != "several at once":
        assert found.steps[row.lost[0] - 2] > 1.4  # the gap; how long exactly: test_stamps.py


def test_faults_of_files_together(tmp_path: Path) -> None:
    check(TOGETHER, tmp_path / "row", "mosaic")


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("no room for the table", "enhanced"),
        ("scanner stopped and started again", "mosaic"),
    ],
)
def test_a_row_of_the_fault_table(tmp_path: Path, name: str, form: str) -> None:
    (row,) = [row for row in ROWS if row.name == name]
    check(row, tmp_path / "row", form)


def test_without_events_files_are_found_by_looking(tmp_path: Path) -> None:
    row = ScannerRow("by looking", ("matrix:at=5",), lost=(5,), scanner=("--poll", "0.05"), count=7)
    check(row, tmp_path / "row", "mosaic")


# ------------------------------------------------------------------ the real mosaics, classified live

TR = 1.97
LENGTH = 8


def bundle(folder: Path, spec: SignalSpec) -> Path:
    """An untrained classifier of windows of eight volumes."""
    import torch

    torch.manual_seed(0)
    shape = {"n_chans": len(spec), "n_times": LENGTH, "n_outputs": 2}
    card = WindowCard(
        model=ModelSpec(kind="cgrnn", params={}, **shape),
        input=spec.to_json(),
        pipeline=[
            {"stage": "bridge"},
            {"stage": "resample", "rate": 1 / TR, "measure_s": 6.0},
            {"stage": "normalise", "memory_s": 60.0, "warmup_s": 8.0},
        ],
        rate=1 / TR,
        window=WindowSettings(length_s=LENGTH * TR, step_s=2 * TR),
        labels=["rest", "task"],
        policy={"min_coverage": 0.8, "max_gap_s": 4.0, "max_age_s": 30.0, "min_confidence": 0.0},
        evidence=CardEvidence(memory_s=60.0),
    )
    write_bundle(folder, card, make_model("cgrnn", {}, **shape))
    return folder


@contextmanager
def running(*words: object, said: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A command, once it has said something; ended by Ctrl-C."""
    out = folder / f"{words[0]}.txt"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.cli", *map(str, words)], cwd=ROOT, stdout=file, stderr=file
        )
        try:
            end = time.monotonic() + 60
            while said not in out.read_text():
                assert process.poll() is None, out.read_text()
                assert time.monotonic() < end, out.read_text()
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_the_real_mosaics_live_and_again_from_the_journal(data_dir: Path, tmp_path: Path) -> None:
    from nibabel import Nifti1Image
    from nilearn.maskers import NiftiLabelsMasker

    folder = data_dir / "fmri_dicom" / "siemens_mosaic_74"
    images = [read_images(path)[0] for path in sorted(folder.glob("*.dcm"))]
    atlas = ellipsoid_atlas(images[0].grid)
    save_atlas(atlas, tmp_path / "atlas.nii.gz")
    model = bundle(tmp_path / "bundle", SignalSpec(region_channels(atlas), 1 / TR))
    export, journal, table = (tmp_path / name for name in ("export", "run.hemostream", "volumes.jsonl"))
    export.mkdir()
    name = f"scanner-{uuid.uuid4().hex[:8]}"
    with (
        running(
            "scanner", "--watch", export, "--atlas", tmp_path / "atlas.nii.gz", "--name", name, "--out",
            table, "--no-motion", said="watching", folder=tmp_path,
        ),
        running(
            "live", "--model", model, "--stream", name, "--journal", journal, "--allow-replay", "--quiet",
            "--wait", "60", "--session", "mosaics", said="session mosaics", folder=tmp_path,
        ),
    ):  # fmt: skip
        words = ["emulate-scanner", "--out", export, "--volumes", folder, "--speed", "15"]
        subprocess.run(
            [sys.executable, "-m", "tools.cli", *map(str, words)],
            cwd=ROOT,
            check=True,
            timeout=120,
            capture_output=True,
        )
        end = time.monotonic() + 40
        while table.read_text().count('"what":"volume"') < 45 and time.monotonic() < end:
            time.sleep(0.1)
        while len(read_journal(journal).times) < 45 and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(0.5)  # the last window may still be computed
    lines = [json.loads(line) for line in table.read_text().splitlines()]
    volumes = [line for line in lines if line["what"] == "volume"]
    assert [line["number"] for line in volumes] == list(range(1, 46))
    assert not [line for line in lines if line["what"] == "remark"]

    # The journal holds every volume once, in order, under the stamp that the table has for it.
    recording = read_journal(journal)
    assert recording.spec.names == tuple(atlas.names.values())
    received = [entry for entry in read_journal_entries(journal) if isinstance(entry, Received)]
    stamps = np.concatenate([entry.stamps for entry in received])
    np.testing.assert_array_equal(stamps, [line["stamp"] for line in volumes])
    run = Nifti1Image(np.stack([image.data for image in images], -1), images[0].grid.affine_mm)
    masker = NiftiLabelsMasker(Nifti1Image(atlas.labels, images[0].grid.affine_mm), standardize=None)
    np.testing.assert_allclose(recording.data.T, masker.fit_transform(run), rtol=1e-5)
    ours = RegionMeans(atlas, images[0].grid)
    np.testing.assert_allclose(recording.data.T, [ours.of(image.data) for image in images], rtol=1e-12)

    # Decisions were made of it, and follow from the journal again byte for byte.
    decisions = list(read_decisions(journal))
    assert sum('"label":"abstain"' not in text for text in decisions) >= 5
    again = tmp_path / "again.jsonl"
    words = ["classify", journal, "--model", model, "--out", again]
    subprocess.run([sys.executable, "-m", "tools.cli", *map(str, words)], cwd=ROOT, check=True, timeout=120)
    assert again.read_text().splitlines() == decisions
