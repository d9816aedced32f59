"""Files about people are for the user who made them, whatever the umask is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.files.private import claim_private, open_private, private_folder, replace_private, write_private

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions are kept elsewhere")


@pytest.fixture(params=[0o000, 0o022, 0o077], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_every_way_of_writing(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700
    write_private(tmp_path / "text", "é")
    assert (tmp_path / "text").read_bytes() == "é".encode()
    open_private(tmp_path / "bytes", "wb").close()
    claim_private(tmp_path / "claimed")
    assert {mode(tmp_path / name) for name in ("text", "bytes", "claimed")} == {0o600}


def test_what_is_replaced_becomes_private_and_what_is_continued_stays(tmp_path: Path) -> None:
    for write in (lambda path: write_private(path, "new"), replace_private):
        path = tmp_path / "open"
        path.write_text("old")
        path.chmod(0o666)
        claim_private(path)
        assert mode(path) == 0o666
        assert path.read_text() == "old"
        write(path)
        assert mode(path) == 0o600
    private_folder(tmp_path)  # is there


def test_a_pipe_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    path.chmod(0o620)
    end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_private(path, "text")
    assert os.read(end, 10) == b"text"
    os.close(end)
    assert mode(path) == 0o620
