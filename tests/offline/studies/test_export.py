"""A bundle says of a person of a site that no one saw what the study said."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from models.errors import HemostreamError
from offline.base.progress import silent
from offline.base.row_splits import unseen_sites
from offline.report.study import UNSEEN_SITE
from offline.scans import Scans, read_scans
from offline.scans.simulated import simulate_series
from offline.studies import STUDIES
from offline.studies.export import export_study, input_of
from offline.studies.tables import OF_SERIES, table_of
from tests.offline.studies.fits import fitted, task_of
from tools.cli import main

EXPORTABLE = [
    name for name, study in STUDIES.items() if not study.not_exportable_because and study.table in OF_SERIES
]


@pytest.fixture(scope="module")
def planted() -> Scans:
    return simulate_series(120, effect=2.4, n_regions=12, n_times=90, seed=5).scans


def run(*arguments: object) -> int:
    try:
        main([str(each) for each in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("name", EXPORTABLE)
def test_every_exportable_study_is_exported_and_says_the_same(
    name: str, planted: Scans, tmp_path: Path
) -> None:
    study, site = STUDIES[name], str(planted.site[0])
    done = export_study(study, planted, tmp_path / "b", cache=tmp_path, without=site, tell=silent)
    (fold,) = [f for f in unseen_sites(planted.table) if set(planted.site[f.test]) == {site}]
    X = np.load(table_of(study.table, planted, tmp_path))
    said = fitted(study, X, planted.table, task_of(UNSEEN_SITE, fold)).scores
    people = planted.rows(fold.test)
    logits = done.bundle.system.logits(people.X, people.repetition_time)
    line = done.bundle.card.training["calibration"]
    assert logits[:, 1] - logits[:, 0] == pytest.approx(line["slope"] * said + line["intercept"], abs=1e-5)
    assert line["slope"] > 0.0 or name in ("kuang2014", "xiao2019")  # in the spectrum nothing is planted
    assert line["people"] == len(fold.train)  # nobody of the site that was left out
    assert done.bundle.novelty is not None
    assert done.asked == len(fold.test)
    assert site not in done.bundle.card.training["sites"]


def test_the_studies_that_no_bundle_can_hold_say_why(planted: Scans, tmp_path: Path) -> None:
    held = {name for name, study in STUDIES.items() if study.not_exportable_because}
    assert "sidhu2019" in held
    for name in held:
        with pytest.raises(HemostreamError, match="cannot be written into a bundle"):
            export_study(STUDIES[name], planted, tmp_path / "b", cache=tmp_path, tell=silent)
    with pytest.raises(HemostreamError, match="no site 'Nowhere'"):
        export_study(
            STUDIES["ridge"], planted, tmp_path / "b", cache=tmp_path, without="Nowhere", tell=silent
        )
    assert not (tmp_path / "b").exists()


def test_what_a_scan_must_be_follows_from_the_training(planted: Scans) -> None:
    needs = input_of(planted)
    seconds = planted.repetition_time
    assert needs.least_s == min(180.0, float((planted.n_times * seconds).min()))
    assert needs.repetition_time[0] < seconds.min() <= seconds.max() < needs.repetition_time[1]
    unknown = planted.rows(np.arange(len(planted)))
    unknown.repetition_time[0] = np.nan
    with pytest.raises(HemostreamError, match="1 of 120"):
        input_of(unknown)


def some_sites(whole: Path, folder: Path, *sites: str) -> Path:
    """Three sites of ABIDE, by links: all sixteen say the same in half a minute."""
    series = Path("cpac/nofilt_noglobal")
    (folder / series).mkdir(parents=True)
    files = [path for site in sites for path in (whole / series).glob(f"{site}_*.1D")]
    for path in [*files, *whole.glob("*.csv")]:
        (folder / path.relative_to(whole)).symlink_to(path)
    return folder


def test_a_real_person_of_an_unseen_site_is_classified_as_in_the_study(
    data_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the files as they are, on the command line, with what the study's own fold gives beside it."""
    site = "SDSU"
    data = some_sites(data_dir / "abide/ABIDE_pcp", tmp_path / "abide", "Olin", "Caltech", site)
    bundle = tmp_path / "bundle"
    assert run("study", "export", "ridge", "--data", data, "--out", bundle, "--without", site,
               "--cache", tmp_path) == 0  # fmt: skip
    assert "200 regions" in capsys.readouterr().out
    scans = read_scans(data)
    (fold,) = [f for f in unseen_sites(scans.table) if set(scans.site[f.test]) == {site}]
    X = np.load(table_of("correlation", scans, tmp_path), mmap_mode="r")
    said = fitted(STUDIES["ridge"], X, scans.table, task_of(UNSEEN_SITE, fold)).scores
    for row, expected in list(zip(fold.test.tolist(), said.tolist(), strict=True))[:3]:
        person = scans.table.person[row]
        (file,) = data.rglob(f"{person}_rois_cc200.1D")
        out = tmp_path / f"{person}.jsonl"
        assert run("classify", file, "--model", bundle, "--repetition-time", scans.repetition_time[row],
                   "--out", out) == 0  # fmt: skip
        decision = json.loads(out.read_text())
        line = json.loads((bundle / "card.json").read_text())["training"]["calibration"]
        expected = line["slope"] * expected + line["intercept"]
        assert logit(decision["probabilities"]["ASD"]) == pytest.approx(expected, abs=1e-6)
        assert decision["novelty"] <= 1.0
        assert decision["quality"]["bridged_cells"] == 0.0
        assert decision["left_out"] == {} or decision["channels"] < 200
    # A quarter of the scan is not enough, and this is said.
    short = tmp_path / "short.1D"
    short.write_text("\n".join(file.read_text().splitlines()[:50]) + "\n")
    assert (
        run("classify", short, "--model", bundle, "--repetition-time", 1.5, "--out", out, "--overwrite") == 0
    )
    assert json.loads(out.read_text())["reasons"] == ["too short"]
    # Nor are regions in another order, and what was found and expected is shown.
    header, *lines = file.read_text().splitlines()
    shuffled = tmp_path / "shuffled.1D"
    order = np.random.default_rng(0).permutation(200)
    cells = [[line.split()[k] for k in order] for line in lines]
    shuffled.write_text("\n".join([header, *("\t".join(row) for row in cells)]) + "\n")
    assert run("classify", shuffled, "--model", bundle, "--repetition-time", scans.repetition_time[row],
               "--out", out, "--overwrite") == 0  # fmt: skip
    assert json.loads(out.read_text())["reasons"] == ["region order"]
    assert re.search(
        r"shuffled.1D: region order is .*; expected .*, as in scans of the training", caplog.text
    )
    # And live there is nothing to do with it.
    assert run("live", "--model", bundle, "--journal", tmp_path / "bed.hemostream") != 0
    assert "classifies whole scans" in capsys.readouterr().err
