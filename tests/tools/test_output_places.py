"""What cannot be written is refused before anything is read or computed, and nothing is left behind."""

import errno
import os
import shutil
from collections import namedtuple
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.errors import HemostreamError
from models.files.output_place import check_file, check_folder, report_if_full
from offline.base.result_cache import new_folder
from tools.cli import main

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return int(ended.value.code or 0), capsys.readouterr().err

    return call


# There is no cohort, model, journal or data of these names: the output is looked at first.
FOLDERS: dict[str, Sequence[str]] = {
    "train": ("train", "nothing", "--recipe", "tapping", "--out"),
    "calibrate": ("calibrate", "--model", "nobody", "--recording", "nothing.snirf", "--out"),
    "train further": ("train", "nothing", "--recipe", "tapping", "--from", "nobody", "--out"),
    "evaluate": ("evaluate", "nothing", "--recipe", "tapping", "--out"),
    "simulate": ("simulate",),
    "study export": ("study", "export", "ridge", "--data", "nothing", "--out"),
    "study sites": ("study", "sites", "--data", "nothing", "--out"),
    "demo": ("demo", "--out"),
    "segment": ("segment", "a.nii.gz", "--model", "nobody", "--out"),
    "emulate-scanner": ("emulate-scanner", "--out"),
}
FILES: dict[str, Sequence[str]] = {
    "classify": ("classify", "nothing.snirf", "--model", "nobody", "--out"),
    "init": ("init", "nothing", "--out"),
    "pretrain": ("pretrain", "nothing", "--recipe", "tapping", "--out"),
    "export": ("export", "nothing.hemostream"),
    "summary": ("summary", "nothing.hemostream", "--out"),
    "live": ("live", "--model", "nobody", "--out"),
    "scanner": ("scanner", "--watch", ".", "--atlas", "nothing.nii", "--out"),
    "live, its journal": ("live", "--model", "nobody", "--journal"),
}


def unwritable(tmp_path: Path) -> Path:
    """A folder in which nothing can be made."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/proc")  # whose owner is root, to whom nothing else is read-only
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def full(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30 - 5, 5))


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_that_cannot_be_made(command: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("somebody's")
    for place in (tmp_path / "file", tmp_path / "file/deep/er", unwritable(tmp_path) / "a"):
        code, message = run(*FOLDERS[command], place)
        assert code == 2
        assert str(place) in message
        assert "nobody" not in message
        assert "Traceback" not in message
    assert (tmp_path / "file").read_text() == "somebody's"


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_on_a_full_disk(
    command: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch)
    code, message = run(*FOLDERS[command], tmp_path / "new")
    assert code == 2
    assert "Make room" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "nothing", "--recipe", "demo"),
        ("evaluate", "empty.tsv", "--recipe", "demo"),
        ("evaluate", "empty.tsv", "--recipe", "demo", "--workers", "-1"),
        ("study", "run", "ridge", "--data", "nothing"),
        ("study", "run", "ridge", "--data", "scans", "--target", "burden"),
        ("study", "run", "ridge", "--data", "scans", "--measure", "reho"),
        ("study", "run", "xu2020", "--data", "empty.tsv"),
        ("study", "sites", "--data", "nothing"),
        ("study", "export", "ridge", "--data", "nothing"),
    ],
)
def test_work_that_is_refused_leaves_no_empty_folder(words: Sequence[str], tmp_path: Path, run: Run) -> None:
    (tmp_path / "empty.tsv").write_text("recording\tperson\n")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans/phenotypes.tsv").write_text("person\tfile\tdiagnosis\np1\tp1.csv\tTD\n")
    (tmp_path / "there").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for out in ("out", "deep/er/out", "there", "there/out"):
        code, message = run(*words, "--out", tmp_path / out)
        assert code == 2
        assert "Traceback" not in message
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("error", [HemostreamError, KeyboardInterrupt])
def test_a_folder_with_something_in_it_stays(tmp_path: Path, error: type[BaseException]) -> None:
    def write() -> None:
        (tmp_path / "a/b/kept").write_text("of a fold")
        raise error

    with pytest.raises(error), new_folder(tmp_path / "a/b"):
        write()
    assert (tmp_path / "a/b/kept").exists()
    with pytest.raises(error), new_folder(tmp_path / "a/c/d"):
        raise error
    assert not (tmp_path / "a/c").exists()
    with new_folder(tmp_path / "e"):
        pass
    assert (tmp_path / "e").is_dir()


@pytest.mark.parametrize("command", FILES)
def test_a_file_that_cannot_be_written(command: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").write_text("somebody's")
    (tmp_path / "folder").mkdir()
    places = [
        tmp_path / "folder",
        tmp_path / "no folder/a",
        tmp_path / "file/a",
        unwritable(tmp_path) / "a",
        tmp_path / ("a" * 300),
    ]
    for place in places:
        code, message = run(*FILES[command], place)
        assert code == 2
        assert str(place)[:200] in message
        assert "nobody" not in message
        assert "Traceback" not in message
    assert (tmp_path / "file").read_text() == "somebody's"


@pytest.mark.parametrize("command", FILES)
@pytest.mark.skipif(os.name != "posix", reason="pipes with names")
def test_a_pipe_without_a_reader(command: str, tmp_path: Path, run: Run) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, message = run(*FILES[command], tmp_path / "pipe")
    assert code == 2
    assert "pipe" in message


def test_a_study_is_refused_at_the_start(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> None:
        pytest.fail("it read the data")

    monkeypatch.setattr("offline.scans.read_scans", read)
    monkeypatch.setattr("offline.studies.choice.wanted_on", lambda *_, **__: ["ridge"])
    (tmp_path / "data").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/ridge").write_text("a file")
    for place in (tmp_path / "out", tmp_path / "out/ridge", unwritable(tmp_path) / "a"):
        code, message = run("study", "run", "ridge", "--data", tmp_path / "data", "--out", place)
        assert code == 2
        assert "report" in message


@pytest.mark.parametrize("name", ["results.json", "report.html", "work"])
def test_what_is_replaced_at_the_end_must_be_what_it_was(name: str, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "out"
    out.mkdir()
    if name == "work":
        (out / name).write_text("")
    else:
        (out / name).mkdir()
    code, message = run("evaluate", "nothing", "--recipe", "tapping", "--out", out)
    assert code == 2
    assert str(out / name) in message


def test_places_that_can_be_written_are_left_as_they_were(tmp_path: Path) -> None:
    check_folder(tmp_path / "a/b/c", "It")
    check_file(tmp_path / "new", "It", beside=True)
    (tmp_path / "there").write_text("12")
    check_file(tmp_path / "there", "It")
    assert [each.name for each in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "12"
    with pytest.raises(HemostreamError, match="GiB or more are needed"):
        check_folder(tmp_path, "It", needed=2**60)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_that_fills_up_meanwhile_is_reported(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    expected = r"The report cannot be written to .*: .*\. Make room\."
    with pytest.raises(HemostreamError, match=expected), report_if_full("The report", tmp_path):
        raise OSError(number, os.strerror(number))

    def app(words: Sequence[str]) -> None:
        raise OSError(number, os.strerror(number), "a.csv")

    monkeypatch.setattr("tools.cli.make_app", lambda: app)
    code, message = run("train")
    assert code == 2
    assert message == f"hemostream: a.csv: {os.strerror(number)}. Make room, and start again.\n"


def test_another_error_of_the_system_is_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), report_if_full("The report", tmp_path):
        raise PermissionError(errno.EACCES, "no")
