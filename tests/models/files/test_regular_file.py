"""What is no file is refused at once, whatever would read it; nothing waits for a writer that never comes."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle import read_bundle
from models.bundle_files import CARD, WEIGHTS
from models.errors import HemostreamError
from models.files.regular_file import check_regular, open_regular, read_regular
from models.scan_bundle import is_scan_bundle, read_scan_bundle
from offline.base.cohort import read_cohort
from offline.recordings import read_recording
from offline.report.folder import write_report
from offline.samples.recipe import load_recipe
from realtime.channels.side_file import read_side_file
from realtime.sinks.journal.journal import is_journal, journal_runs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, sockets and devices with names")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as here:
        before = Path.cwd()
        os.chdir(path.parent)  # the name of a socket may not be long
        try:
            here.bind(path.name)
        finally:
            os.chdir(before)


OTHERS: dict[str, Callable[[Path], None]] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> tuple[str, Callable[[Path], None]]:
    return request.param, OTHERS[request.param]


def test_what_is_no_file_is_refused(tmp_path: Path, other: tuple[str, Callable[[Path], None]]) -> None:
    words, make = other
    path = tmp_path / "it"
    make(path)
    for read in (check_regular, open_regular, read_regular):
        with pytest.raises(OSError, match=words):
            read(path)


def test_a_file_is_read_and_one_that_is_too_large_is_not(tmp_path: Path) -> None:
    path = tmp_path / "it"
    path.write_bytes(b"12345")
    assert read_regular(path, most=5) == b"12345"
    with pytest.raises(OSError, match="more than 4 bytes"):
        read_regular(path, most=4)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "nothing")


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
def test_a_bundle_of_something_else_than_files_is_refused(
    tmp_path: Path, other: tuple[str, Callable[[Path], None]], name: str
) -> None:
    words, make = other
    for each in (CARD, WEIGHTS):
        if each == name:
            make(tmp_path / each)
        else:
            (tmp_path / each).write_text("{}")
    for read in (read_bundle, read_scan_bundle, is_scan_bundle):
        if name == WEIGHTS and read is is_scan_bundle:
            continue  # which looks at the card alone
        with pytest.raises(HemostreamError, match=words):
            read(tmp_path)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.snirf", read_recording),
        ("a.nirs", read_recording),
        ("a.xdf", read_recording),
        ("a.hdr", read_recording),
        ("a.tsv", read_recording),
        ("a.hemostream", read_recording),
        ("a.hemostream", journal_runs),
        ("cohort.tsv", read_cohort),
        ("recipe.toml", load_recipe),
        ("layout.json", read_side_file),
    ],
)
def test_no_input_waits_for_what_is_no_file(
    tmp_path: Path, other: tuple[str, Callable[[Path], None]], name: str, read: Callable[[Path], object]
) -> None:
    other[1](tmp_path / name)
    with pytest.raises(HemostreamError):
        read(tmp_path / name)


def test_a_pipe_within_a_recording_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "nirx"
    folder.mkdir()
    (folder / "a.hdr").write_text("[GeneralInfo]")
    os.mkfifo(folder / "a.wl1")
    for path in (folder, folder / "a.hdr"):
        with pytest.raises(HemostreamError, match=r"a\.wl1: it is a pipe"):
            read_recording(path)


def test_a_journal_and_a_report_that_are_pipes_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "results.json")
    assert not is_journal(tmp_path / "results.json")
    with pytest.raises(HemostreamError, match="pipe"):
        write_report(tmp_path)
