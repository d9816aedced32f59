"""What lies in a cache is whole, or is computed again: never an error, and never believed."""

import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import HemostreamError
from offline.base.result_cache import Arrays, expect, load_result, load_text, put_array, put_result, put_text

SCORES = np.linspace(0.0, 1.0, 12).reshape(6, 2)


def made_of(kept: Arrays) -> tuple[list[float], str, float]:
    scores = expect(kept["scores"], "f", (6, 2))
    return scores.ravel().tolist(), str(expect(kept["how"], "U", ())), float(expect(kept["seconds"], "f", ()))


WHOLE = (SCORES.ravel().tolist(), '{"epochs": 3}', 1.5)


def put(path: Path) -> None:
    put_result(path, scores=SCORES, how=WHOLE[1], seconds=np.float64(WHOLE[2]))


def test_what_was_put_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert load_result(path, made_of) is None
    put(path)
    assert load_result(path, made_of) == WHOLE
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]
    put_text(tmp_path / "a.json", "å")
    assert load_text(tmp_path / "a.json", str) == "å"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_never_believed_and_never_an_error(tmp_path: Path, data: st.DataObject) -> None:
    """Cut off, overwritten, filled with zeros, lengthened, or anything at all."""
    path = tmp_path / "a.npz"
    put(path)
    content = bytearray(path.read_bytes())
    how = data.draw(st.sampled_from(["cut", "bytes", "zeros", "more", "anything"]))
    at = data.draw(st.integers(0, len(content) - 1))
    if how == "cut":
        del content[at:]
    elif how == "bytes":
        new = data.draw(st.binary(min_size=1, max_size=16))
        content[at : at + len(new)] = new
    elif how == "zeros":
        content[at:] = bytes(len(content) - at)
    elif how == "more":
        content[at:at] = data.draw(st.binary(min_size=1, max_size=64))
    else:
        content = bytearray(data.draw(st.binary(max_size=200)))
    path.write_bytes(content)
    # Bytes of a zip's directory that say nothing of the arrays may be others.
    assert load_result(path, made_of) in (None, WHOLE)


def _object(path: Path) -> None:
    np.savez(path, scores=np.array([{}], dtype=object), how="{}", seconds=1.0)


def _huge(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
        header += " " * (118 - len(header) - 1) + "\n"
        file.writestr(
            "scores.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
        )


def _bomb(path: Path) -> None:
    np.savez_compressed(path, scores=np.zeros(10_000_000), how="{}", seconds=1.0)


FOREIGN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.touch(),
    "one array": lambda path: put_array(path, SCORES),
    "other names": lambda path: np.savez(path, log_odds=SCORES[:, 0]),
    "another shape": lambda path: np.savez(path, scores=SCORES[:5], how="{}", seconds=1.0),
    "another type": lambda path: np.savez(path, scores=SCORES.astype(int), how="{}", seconds=1.0),
    "words for seconds": lambda path: np.savez(path, scores=SCORES, how="{}", seconds="1"),
    "objects": _object,
    "more than there is": _huge,
    "much in little": _bomb,
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices")
@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_of_somebody_else_is_reported_and_not_taken(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.npz"
    FOREIGN[what](path)
    with caplog.at_level(logging.WARNING):
        assert load_result(path, made_of) is None
    assert "computed again" in caplog.text
    if what == "a folder":
        with pytest.raises(HemostreamError, match=r"a\.npz"):
            put(path)
    else:
        put(path)
        assert load_result(path, made_of) == WHOLE


def test_where_nothing_can_be_written_that_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HemostreamError, match="cannot be kept"):
        put_array(tmp_path / "file/a.npy", SCORES)
