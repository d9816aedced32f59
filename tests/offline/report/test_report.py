"""The page: made of what was written, readable, self-contained, and honest about chance."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from models.errors import HemostreamError
from offline.evaluation.evaluate import evaluate
from offline.report.cohort import cohort_of
from offline.report.folder import write_report
from offline.report.words import chance_of, finding, summary_of
from tests.offline.support import group_recipe, series_cohort, task_cohort, task_recipe


def evaluated(folder: Path, **more: Any) -> Path:
    cohort = task_cohort(folder, sessions=1)
    text = cohort.read_text().replace("person-1", "<script>alert(1)</script>")
    cohort.write_text(text)
    recipe = task_recipe(evaluation={"permutations": 20, "explain": ["occlusion"]}, training={"epochs": 2})
    evaluate(cohort, recipe, folder / "out", show=False, **more)
    return folder / "out"


def test_the_page_needs_nothing_but_itself_and_shows_codes_as_text(tmp_path: Path) -> None:
    out = evaluated(tmp_path)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'<(script|img|iframe)[^>]+src="(?!data:)', page)
    assert not re.search(r'<link[^>]+href="http', page)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for said in ("Research use only", "says nothing about others", "ROC curves", "Calibration", "Checklists"):
        assert said in page
    assert re.search(r"<li>ridge: [^<]*chance", page)  # beside the table, which is wide enough
    assert page.count("Within each person, AUC: 95 %") == 2  # by window, by block
    blocks = json.loads((out / "results.json").read_text())["by_block"]
    assert set(blocks["conditions"]) == {
        "cgrnn",
        "linear",
        "ridge",
        "memory and symmetry",
        "time",
        "majority",
    }
    assert blocks["conditions"]["ridge"]["auc"]["p"] is not None
    assert sum(blocks["blocks"].values()) == sum(blocks["lost"]["asked"].values()) == 30
    for said in ("By block", "seconds since the block", "bits a minute", "All 30 blocks gave a usable"):
        assert said in page
    assert page.count("data:image/png;base64") >= 4  # outcomes, ROC, calibration, a map


def test_it_is_made_again_from_the_files_alone(tmp_path: Path) -> None:
    out = evaluated(tmp_path)
    first = (out / "report.json").read_bytes()
    (out / "report.json").unlink()
    (out / "report.html").unlink()
    for left in ("cohort.tsv", "samples.csv"):
        ((tmp_path if left == "cohort.tsv" else out) / left).unlink()
    assert write_report(out) == out / "report.html"
    assert (out / "report.json").read_bytes() == first
    with pytest.raises(HemostreamError, match=r"holds no results\.json"):
        write_report(tmp_path)
    (out / "results.json").write_text('{"study": {}, "conditions": {}}')
    with pytest.raises(HemostreamError, match="another version wrote it"):
        write_report(out)
    (out / "results.json").write_text("{")
    with pytest.raises(HemostreamError, match="is no JSON"):
        write_report(out)


def test_a_label_of_the_person_has_a_decision_curve_and_an_audit_its_section(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, "ABABABABAB")
    recipe = group_recipe(training={"epochs": 1}, evaluation={"permutations": 20, "prevalence": 0.1})
    evaluate(cohort, recipe, tmp_path / "out", audited=True, show=False)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    for said in (
        "Decision curve",
        "Leakage protocols",
        "overlapping windows at random",
        "REFORMS",
        "TRIPOD",
    ):
        assert said in page
    content = json.loads((tmp_path / "out/report.json").read_text())
    assert content["leakage_audit"]["model"] == "ridge"
    where = {row["item"]: row["where"] for row in content["checklists"]}
    assert where["what leakage would have claimed"] == "section Leakage protocols"
    assert "not answered" in where["whether it holds elsewhere"]
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["who"]["people"] == 10
    people = cohort_of(results)["people"]
    assert sum(row["recordings"] for row in people.values()) == 10
    assert all(row["fit"] <= row["windows"] for row in people.values())


def test_what_is_not_determined_is_said_and_chance_follows_from_the_labels() -> None:
    nothing = {"value": None, "interval": None, "bootstrap": None, "p": None}
    results = {
        "labels": ["a", "b", "c", "d"],
        "people": 1,
        "says": "1 person: says nothing about others",
        "protocol": "every window is predicted",
        "folds": {"x": {}},
        "primary": {"metric": "balanced_accuracy", "label_of": "event"},
        "recipe": {"model": "cgrnn"},
        "conditions": {"cgrnn": {"by_person": {"balanced_accuracy": nothing}}},
    }
    assert chance_of(results, "balanced_accuracy") == 0.25
    assert chance_of(results, "auc") == 0.5
    assert "not determined" in finding(results, "cgrnn")
    text = " ".join(summary_of(results))
    assert "tell a from b and c and d" in text
    assert "1 person." in text


@pytest.mark.parametrize(
    ("clock", "own", "warned"), [(0.9, 0.8, True), (0.8, 0.9, False), (0.5, 0.4, False), (None, 0.8, False)]
)
def test_labels_that_the_clock_tells_are_warned_of(clock: float | None, own: float, warned: bool) -> None:
    def condition(value: float | None) -> dict[str, Any]:
        return {"by_person": {"auc": {"value": value, "interval": None, "p": None}}}

    results = {
        "recipe": {"model": "cgrnn"},
        "labels": ["rest", "task"],
        "primary": {"metric": "auc", "label_of": "event"},
        "people": 6,
        "protocol": "reported",
        "folds": [],
        "says": "6 people",
        "conditions": {"cgrnn": condition(own), "ridge": condition(0.7), "time": condition(clock)},
    }
    text = " ".join(summary_of(results))
    assert ("do not show that anything was learnt from the signals" in text) == warned


def test_simulated_people_are_said_to_be_simulated_with_what_they_could_show(tmp_path: Path) -> None:
    cohort = series_cohort(tmp_path, "ABABABABAB")
    recipe = group_recipe(training={"epochs": 1}, evaluation={"permutations": 0})
    (tmp_path / "truth.json").write_text('{"bayes_ceiling": 0.76}')
    evaluate(cohort, recipe, tmp_path / "out", show=False)
    said = json.loads((tmp_path / "out/report.json").read_text())["simulated"]
    assert "76% of people" in said
    assert "slower than 0.03 Hz" in said  # one turn in 40 s
    (tmp_path / "truth.json").write_text('{"bayes_ceiling": "high"}')
    evaluate(cohort, recipe, tmp_path / "again", show=False)
    assert json.loads((tmp_path / "again/report.json").read_text())["simulated"] == ""
