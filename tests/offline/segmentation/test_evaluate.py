"""Every case is predicted by a network that never saw it; the report and the bundle hold what was found."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import HemostreamError
from models.segmentation.bundle import UNetSettings, VolumeInput, read_segmentation_bundle
from offline.base.progress import silent
from offline.segmentation import evaluate
from offline.segmentation.cases import read_cases
from offline.segmentation.evaluate import SegmentationPlan, evaluate_by_case
from offline.segmentation.predict import segment
from offline.segmentation.train import SegmentationTraining
from offline.studies.segmented import LI2019, export_segmented, plan_of, run_segmented
from offline.volumes.image import read_image
from tests.offline.segmentation.support import write_case, write_cases

PLAN = SegmentationPlan(
    {"ball": 1, "box": 2},
    UNetSettings(width=2, levels=2, dilations=(1,)),
    VolumeInput(voxel_mm=(1.0, 1.0, 1.0), patch=(16, 16, 16)),
    SegmentationTraining(epochs=1),
)


def test_nobody_predicts_a_case_it_was_trained_on(tmp_path: Path, monkeypatch) -> None:
    cases = read_cases(write_cases(tmp_path / "data", 6))
    trained: list[set[int]] = []
    predicted: list[int] = []
    fit, case = evaluate.fit_unet, evaluate._case

    def watch_fit(prepared, rows, *rest, **options):
        trained.append(set(rows))
        return fit(prepared, rows, *rest, **options)

    def watch_case(network, prepared, k, *rest):
        assert k not in trained[-1]
        predicted.append(int(k))
        return case(network, prepared, k, *rest)

    monkeypatch.setattr(evaluate, "fit_unet", watch_fit)
    monkeypatch.setattr(evaluate, "_case", watch_case)
    plan = replace(PLAN, folds=3)
    found = evaluate_by_case(cases, plan, tmp_path / "work", cache=tmp_path / "cache", tell=silent)
    assert sorted(predicted) == list(range(6))
    assert [len(rows) for rows in trained] == [4, 4, 4]
    again = evaluate_by_case(cases, plan, tmp_path / "work", cache=tmp_path / "cache", tell=silent)
    assert again == found
    assert len(trained) == 3  # the finished folds were taken up


def test_report_and_bundle(tmp_path: Path) -> None:
    data = write_cases(tmp_path / "data", 5)
    asked = plan_of(LI2019, data, "quick")
    assert dict(asked.structures) == {"anterior hippocampus": 1, "posterior hippocampus": 2}
    results = run_segmented(LI2019, data, tmp_path / "out", plan=PLAN, tell=silent, cache=tmp_path / "cache")
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert kept["structures"]["ball"]["dice"]["value"] == results["structures"]["ball"]["dice"]["value"]
    assert "Dice" in (tmp_path / "out" / "report.html").read_text()
    how = {
        "plan": PLAN,
        "evaluation": {},
        "work": tmp_path / "w",
        "cache": tmp_path / "cache",
        "tell": silent,
    }
    export_segmented(LI2019, data, tmp_path / "bundle", **how)
    bundle = read_segmentation_bundle(tmp_path / "bundle")
    image = read_image(data / "images" / "case-0.nii.gz")
    assert segment(image, bundle).labels.shape == image.data.shape


def test_an_image_of_another_spacing_comes_back_on_its_own_voxels(tmp_path: Path) -> None:
    data = write_cases(tmp_path / "data", 5)
    how = {
        "plan": PLAN,
        "evaluation": {},
        "work": tmp_path / "w",
        "cache": tmp_path / "cache",
        "tell": silent,
    }
    export_segmented(LI2019, data, tmp_path / "bundle", **how)
    write_case(tmp_path / "fine", "fine", 0, size=30, voxel=0.7)
    image = read_image(tmp_path / "fine" / "images" / "fine.nii.gz")
    found = segment(image, read_segmentation_bundle(tmp_path / "bundle"))
    assert found.labels.shape == (30, 30, 30)
    assert found.volumes_mm3["ball"] == pytest.approx(np.count_nonzero(found.labels == 1) * 0.7**3, rel=1e-5)


def test_too_few_cases_are_refused(tmp_path: Path) -> None:
    cases = read_cases(write_cases(tmp_path / "data", 3))
    with pytest.raises(HemostreamError, match="3 cases; expected 5"):
        evaluate_by_case(cases, PLAN, tmp_path / "work", cache=tmp_path / "cache", tell=silent)


def test_an_image_without_labels_is_named(tmp_path: Path) -> None:
    data = write_cases(tmp_path / "data", 2)
    (data / "labels" / "case-1.nii.gz").unlink()
    with pytest.raises(HemostreamError, match="case-1 stands in images only"):
        read_cases(data)
