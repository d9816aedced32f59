"""Who works tells how far it is; where no one watches, a log hears of it now and then."""

import pytest

from offline.base import progress


def test_a_log_gets_a_line_now_and_then_and_short_work_leaves_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with progress.shown() as tell:
        tell("ridge", 1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    with progress.shown() as tell:
        tell("ridge", 1, 2)
        tell("ridge", 2, 2, "10-fold")
    assert capsys.readouterr().err == "ridge: 1 of 2\nridge: 2 of 2, 10-fold\n"


def test_whoever_wants_to_know_is_reported_instead(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[tuple[str, int, int]] = []
    with progress.shown(lambda what, done, total, remark="": heard.append((what, done, total))) as tell:
        tell("ridge", 1, 2)
    assert heard == [("ridge", 1, 2)]
    assert capsys.readouterr().err == ""
