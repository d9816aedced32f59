"""Small runs of every command that computes give what they gave before."""

import json
from pathlib import Path

from tests.pinned.__main__ import PINNED, figures_in
from tests.pinned.figures import differences
from tests.pinned.runs import run_all


def test_nothing_comes_out_otherwise(tmp_path: Path) -> None:
    run_all(tmp_path)
    assert differences(figures_in(tmp_path), json.loads(PINNED.read_text())) == []


def test_a_difference_is_seen() -> None:
    pinned = {"a": [1, 2.0], "b": "x", "gone": 1, "hash": "1"}
    found = {"a": [1, 2.1], "b": "y", "new": 1, "hash": "2"}
    assert differences(found, pinned) == [
        "/gone: no longer there", "/new: new", "/a/1: 2.1, pinned 2.0", "/b: 'y', pinned 'x'",
    ]  # fmt: skip
    assert differences({"a": [1.0]}, {"a": [1.0, 2.0]}) == ["/a: [1.0], pinned [1.0, 2.0]"]
    assert differences(1.00001, 1.0) == []
    elsewhere = {"versions": {"torch": "2.13.0"}, "weights_sha256": "1", "signals": ["1"]}
    assert differences(elsewhere, dict.fromkeys(elsewhere, "another")) == []
