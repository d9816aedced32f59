"""What few simulated people teach is measured on others, and taken up where it stopped."""

from pathlib import Path

import pytest

from tools.bench import effect_few


def test_every_model_is_fitted_once_a_draw_and_judged_on_fresh_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"sizes": (12,), "pool": 12, "fresh": 6, "unlabelled": 5, "draws": 1, "epochs": 1}
    effect_few.effect_few(tmp_path, **sizes)
    table = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert table.startswith("| from people | 12 |")
    assert all(f"| {name} | " in table for name in effect_few.MODELS)
    assert "chosen: " in capsys.readouterr().out
    for name in effect_few.MODELS:
        monkeypatch.setitem(effect_few.MODELS, name, None)  # type: ignore[arg-type]
    effect_few.effect_few(tmp_path, **sizes)  # all is kept
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == table
