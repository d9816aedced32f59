"""``hemostream info``: a bundle's own words about itself."""

from pathlib import Path
from typing import Any

import pytest

from models.bundle import write_bundle
from models.networks.registry import make_model
from tests.models.evidence.test_unseen import unseen
from tests.models.test_bundle import card
from tools.cli import main

LAW = {"centre": 0.0, "mu": 0.5, "between": 0.4, "within": 1.0, "tau": 12.0}


def shown(folder: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    made = card(**changes)
    write_bundle(folder / "b", made, make_model(**made.model.model_dump()).eval())
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["info", str(folder / "b")])
    assert not ended.value.code
    return " ".join(capsys.readouterr().out.split())


def test_a_bundle_that_was_never_evaluated_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(tmp_path, capsys)
    assert "labels rest, tapping" in text
    assert "Evaluated: never evaluated on unseen people" in text
    assert "Labels: no label is shown" in text
    assert "to have labels shown: train with --evaluation" in text
    assert "a mean over windows that never forgets" in text


def test_one_that_was_shows_its_figures_and_its_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = {"law": LAW, "rule": {"upper": 2.0, "lower": -2.0}}
    text = shown(tmp_path, capsys, unseen=unseen(), evidence=evidence)
    assert "by unseen person: AUC .66 (.58 to .73), 46 people; better than chance (p .030)" in text
    assert "balanced accuracy .61" in text
    assert "labels are shown from a confidence of .60" in text
    assert "to have labels shown" not in text
    assert "over the session; stops at log odds of 2.00 or -2.00" in text


def test_of_blocks_the_events_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block = {"events": ["left", "right"], "first_s": 4.0, "last_s": 20.0}
    text = shown(tmp_path, capsys, evidence={"law": LAW, "block": block})
    assert "what follows an event (left, right); no rule for stopping early" in text
