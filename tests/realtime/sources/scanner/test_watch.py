"""A watched folder gives a file when its writer is done with it, with the kernel's help and without."""

import time
from pathlib import Path

import pytest

from models.errors import StreamError
from realtime.sources.scanner.watch import FolderWatch


class Clock:
    """Time that only goes on when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_is_given_when_it_is_closed_and_not_before(tmp_path: Path) -> None:
    with FolderWatch(tmp_path, clock=Clock()) as watch:
        watch.wait(0)
        if not watch.asks_the_kernel:
            pytest.skip("this system does not tell when a file is closed")
        path = tmp_path / "a.dcm"
        with path.open("wb", buffering=0) as file:
            file.write(b"part")
            assert watch.wait(0) == []
            file.write(b"rest")
        assert until(watch) == [path]
        assert watch.wait(0) == []


def test_a_file_that_is_renamed_into_the_folder_is_given(tmp_path: Path) -> None:
    folder, outside = tmp_path / "export", tmp_path / "elsewhere"
    folder.mkdir()
    outside.mkdir()
    with FolderWatch(folder, clock=Clock()) as watch:
        watch.wait(0)
        if not watch.asks_the_kernel:
            pytest.skip("this system does not tell when a file is renamed")
        (outside / "x").write_bytes(b"1")
        (outside / "x").rename(folder / "a.dcm")
        assert until(watch) == [folder / "a.dcm"]
        (folder / ".b.part").write_bytes(b"2")
        (folder / ".b.part").rename(folder / "b.dcm")
        assert until(watch) == [folder / "b.dcm"]


def until(watch: FolderWatch, seconds: float = 20.0) -> list[Path]:
    """What the kernel tells of next; it does so from a thread of its own."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := watch.wait(0):
            return found
        time.sleep(0.002)
    return []


def test_without_the_kernel_a_file_is_given_when_two_looks_find_it_the_same(tmp_path: Path) -> None:
    clock = Clock()
    with FolderWatch(tmp_path, poll_s=1.0, clock=clock) as watch:
        assert not watch.asks_the_kernel
        assert watch.wait(0) == []
        path = tmp_path / "a.dcm"
        path.write_bytes(b"part")
        clock.now = 1.0
        assert watch.wait(0) == []
        path.write_bytes(b"part and rest")
        clock.now = 2.0
        assert watch.wait(0) == []
        clock.now = 3.0
        assert watch.wait(0) == [path]
        clock.now = 4.0
        assert watch.wait(0) == []
        path.write_bytes(b"something else, later")
        for clock.now in (5.0, 6.0):
            found = watch.wait(0)
        assert found == [path]


def test_what_lies_there_is_given_only_when_asked_for(tmp_path: Path) -> None:
    clock = Clock()
    for name in ("b.dcm", "a.dcm", ".hidden"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "folder").mkdir()
    with FolderWatch(tmp_path, poll_s=1.0, clock=clock) as watch:
        assert watch.standing() == [tmp_path / "a.dcm", tmp_path / "b.dcm"]
        for clock.now in (1.0, 2.0, 3.0):
            assert watch.wait(0) == []


def test_a_folder_that_goes_away_is_trouble_and_its_return_is_none(tmp_path: Path) -> None:
    clock, folder = Clock(), tmp_path / "mount"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(b"1")
    with FolderWatch(folder, poll_s=1.0, clock=clock) as watch:
        watch.standing()
        folder.rename(tmp_path / "away")
        clock.now = 1.0
        assert watch.wait(0) == []
        assert "cannot be read" in watch.trouble
        (tmp_path / "away").rename(folder)
        (folder / "b.dcm").write_bytes(b"2")
        for clock.now in (2.0, 3.0):
            found = watch.wait(0)
        assert not watch.trouble
        assert found == [folder / "b.dcm"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="no folder"):
        FolderWatch(tmp_path / "nothing")
