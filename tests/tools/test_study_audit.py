"""``hemostream study run`` hands on what it was asked."""

from pathlib import Path
from typing import Any

import pytest

from offline.scans.simulated import simulate_series
from tools.cli import main


@pytest.mark.parametrize(("words", "audit"), [((), True), (("--no-audit",), False), (("--audit",), True)])
def test_leakage_protocols_are_tried_unless_switched_off(
    words: tuple[str, ...], audit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    scans = simulate_series(8, n_regions=4, n_times=20).scans
    monkeypatch.setattr("offline.scans.read_scans", lambda folder, **how: scans)
    monkeypatch.setattr("offline.studies.run.run_study", lambda *args, **how: asked.append(how))
    with pytest.raises(SystemExit) as end:
        main(["study", "run", "ridge", "--data", str(tmp_path), "--out", str(tmp_path / "out"), *words])
    assert not end.value.code
    assert [how["audit"] for how in asked] == [audit]


def test_the_command_line_itself_can_leave_them_out(capsys: pytest.CaptureFixture[str]) -> None:
    # The whole command line turns negatives off for every other option.
    with pytest.raises(SystemExit) as end:
        main(["study", "run", "rigde", "--data", "nowhere", "--out", "nowhere", "--no-audit"])
    assert end.value.code == 2
    assert "There is no system 'rigde'" in capsys.readouterr().err
