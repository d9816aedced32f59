"""Hostile input against a running session; a hundred thousand of them with ``make fuzz``."""

from pathlib import Path

import pytest

from models.bundle import read_bundle
from tools.fuzz.live_session import run
from tools.soak.bundle import write_soak_bundle


@pytest.mark.parametrize("seed", [0, 7])
def test_a_session_goes_on_reports_what_it_met_and_its_journal_gives_it_again(
    tmp_path: Path, seed: int
) -> None:
    write_soak_bundle(tmp_path / "bundle")
    met = run(read_bundle(tmp_path / "bundle"), tmp_path / "bed.hemostream", 400, seed)
    assert not met.ended
    assert not met.undeclared
    assert met.labelled_after >= 60, "on good data it decides as before"
    assert met.same
    assert met.status is not None
    assert {"stamps", "values", "frame counters", "markers"} <= set(met.status.rejected)
    assert sum(met.inputs.values()) == 400
    assert len(met.inputs) == 8
    # An error of the core would be reported and survived all the same, but is a fault to be mended.
    assert not met.faults, met.fault
