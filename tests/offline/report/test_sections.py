"""Every page renders from the least that a command can have written, and shows all of what it wrote."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import HemostreamError
from offline.base.predictions import Predictions
from offline.report.continuous import continuous_evaluation_page, continuous_study_page
from offline.report.evaluation import EvaluationFiles, as_json, evaluation_page
from offline.report.folder import write_report
from offline.report.leakage import across_studies
from offline.report.overview import write_overview
from offline.report.page import RESEARCH, ReportPage
from offline.report.served import served_section, served_words
from offline.report.sites import sites_page
from offline.report.study import EXPLAINED, OWN, TENFOLD, TRANSDUCTIVE, UNSEEN_SITE, study_page
from offline.stats.regression import ContinuousPredictions, read_continuous, write_continuous
from offline.studies.base import Role
from offline.training.unseen import evaluated_of

NOTHING = {"value": None, "interval": None, "bootstrap": None, "p": None}
RUN = {"began_utc": "2026-01-01", "versions": {}, "machine": {}, "seconds": {}}
RECIPE = {"name": "r", "hash": "h", "model": "cgrnn", "settings": {"evaluation": {"prevalence": None}}}
WHO = {"people": 2, "recordings": 2, "sites": {}, "sexes": {}, "ages": None}


NO_BLOCKS = {
    "rule": "mean",
    "blocks": {"a": 0, "b": 0},
    "people": 0,
    "without_a_figure": [],
    "primary": "auc",
    "null": None,
    "conditions": {"cgrnn": {"auc": NOTHING, "balanced_accuracy": NOTHING, "persons": {}}},
    "compared": {},
    "lost": {"asked": {}, "lost": {}, "reasons": {}, "by_person": {}},
    "best_simple": None,
    "over_seconds": {
        "cgrnn": [
            {
                "seconds": 5.0,
                "people": 0,
                "blocks": 0,
                "window": NOTHING,
                "so_far": NOTHING,
                "bits_per_minute": None,
            }
        ]
    },
    "transfer": {"cgrnn": None},
}


def evaluation(
    labels: tuple[str, ...] = ("a", "b"), of: str = "person", by_block: Any = None
) -> EvaluationFiles:
    results = {
        "recipe": RECIPE,
        "who": WHO,
        "cohort_hash": "c",
        "labels": list(labels),
        "people": 2,
        "says": "2 people: says nothing about others",
        "protocol": "everybody once",
        "folds": [],
        "recordings": [],
        "remarks": [],
        "simulated": None,
        "primary": {"metric": "auc", "label_of": of},
        "null": None,
        "channel_map": None,
        "explanations": {},
        "over_time": None,
        "by_block": by_block,
        "compared": {},
        "conditions": {
            "cgrnn": {
                "by_person": {"auc": NOTHING, "balanced_accuracy": NOTHING},
                "pooled": {"majority_rate": None},
            }
        },
    }
    n = 2
    zeros, texts = np.zeros(n, dtype=np.int64), np.array(["x", "y"])
    table = Predictions(
        labels=labels,
        repeat=zeros,
        fold=texts,
        condition=np.full(n, "cgrnn"),
        sample=np.arange(n),
        person=texts,
        y=np.arange(n),
        scores=np.full((n, len(labels)), 1 / len(labels)),
    )
    return EvaluationFiles(results, RUN, table)


def figures_of_nothing(**more: Any) -> dict[str, Any]:
    return {"people": 0, "accuracy": 0.0, "majority_rate": 0.0, "auc_over_all": None} | more


def study(**more: Any) -> dict[str, Any]:
    own = figures_of_nothing(
        balanced_accuracy=NOTHING, auc=NOTHING, recall={"a": None}, recall_interval={"a": None}
    )
    return {
        "study": {
            "name": "s",
            "title": "S",
            "paper": "",
            "role": str(Role.SYSTEM),
            "disorder": "ASD",
            "claimed": [],
            "unstated": [],
            "ours": "",
            "table": "t",
        },
        "profile": {"permutations": 0},
        "data": {"derivative": "", "people": 0, "labels": ["a"], "sites": {}, "remarks": []},
        "conditions": {TENFOLD: own},
        "null": {},
        "settings": {},
        "fits": 0,
        **more,
    }


def amounts(condition: str, n: int = 2) -> ContinuousPredictions:
    y = np.arange(n, dtype=np.float64)
    names = np.arange(n).astype(str)
    return ContinuousPredictions(np.zeros(n, dtype=np.int64), names, np.full(n, condition), names, y, y)


def severity() -> dict[str, Any]:
    its = {"people": 2, "r": NOTHING, "R2": NOTHING, "MAE": NOTHING}
    conditions = {f"t, {TENFOLD}": its, f"age and sex, {TENFOLD}": its}
    return study(conditions=conditions, data={**study()["data"], "unit": "SD", "target": "burden"})


def amount() -> dict[str, Any]:
    its = {"people": 2, "r": NOTHING, "R2": NOTHING, "MAE": NOTHING}
    names = ("recipe", "who", "cohort_hash", "says", "protocol", "remarks")
    shared = {name: evaluation().results[name] for name in names}
    return {**shared, "continuous_target": "score", "null": None, "conditions": {"ridge": its}}


SITES = {
    "people": 0,
    "sites": {},
    "chance": 0.5,
    "majority_rate": 0.5,
    "folds": 10,
    "left_out": {},
    "table": "t",
    "derivative": "d",
    "harmonisations": {},
}
PAGES: Mapping[str, Callable[[], ReportPage]] = {
    "labels of people": lambda: evaluation_page(evaluation()),
    "labels of events": lambda: evaluation_page(evaluation(of="event")),
    "blocks": lambda: evaluation_page(evaluation(of="event", by_block=NO_BLOCKS)),
    "three labels": lambda: evaluation_page(evaluation(("a", "b", "c"))),
    "an amount": lambda: continuous_evaluation_page(amount(), RUN, amounts("ridge")),
    "an amount of no one": lambda: continuous_evaluation_page(amount(), RUN, amounts("ridge", 0)),
    "a study": lambda: study_page(study()),
    "a study that was not audited": lambda: study_page(study(leakage={"why_not": "x"})),
    "a study of an amount": lambda: continuous_study_page(severity(), amounts(f"t, {TENFOLD}")),
    "sites": lambda: sites_page(SITES),
}


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.parametrize("name", PAGES)
def test_it_renders_from_the_least(name: str) -> None:
    page = PAGES[name]().html()
    assert RESEARCH in page
    assert "None" not in page.partition("<main>")[2]


def test_the_overview_renders_from_one_study_of_either_kind_or_from_none(tmp_path: Path) -> None:
    assert "| S |" in write_overview(tmp_path, [study()], {})
    assert "| S | burden |" in write_overview(tmp_path, [severity()], {"s": 3.0})
    assert 'href="./s/report.html"' in (tmp_path / "index.html").read_text()
    assert write_overview(tmp_path, [], {}, ["nothing is whole"]).endswith("nothing is whole\n")


def test_every_condition_of_studies_is_explained() -> None:
    assert tuple(EXPLAINED) == (UNSEEN_SITE, TRANSDUCTIVE, TENFOLD, OWN)


def test_a_protocol_that_was_tried_for_one_study_alone_has_a_column() -> None:
    figure = {"accuracy": {"value": 0.5, "permuted": {"mean": None, "values": []}}}
    more = {"value": None, "interval": None, "permuted": {"mean": None, "interval": None}}
    its = {"leaky": figure, "honest": figure, "difference": {"accuracy": more}, "explained": "That."}
    audit = {
        "metrics": ["accuracy"],
        "unit": "sample",
        "model": "s",
        "permutations": 0,
        "protocols": {"p": its},
    }
    found = {"site": "a", "people": 3, "skipped": {"q": "it cannot."}, **audit}
    table = across_studies([study(leakage=found), study(leakage=None)])
    assert table.head == ("system: site, people", "p", "honest", "q", "honest")
    assert table.rows == [("S: a, 3", "0.500", "0.500", "not tried", "")]
    whole = {
        "majority_rate": 0.5,
        "folds": 5,
        "divisions": 1,
        "columns": 2,
        "parts": 4,
        "setting": "",
        **found,
    }
    page = study_page(study(leakage=whole)).html()
    assert "p: That." in page
    assert "q: not tried, for it cannot." in page


def test_amounts_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    for n in (0, 3):
        table = amounts("c", n)
        write_continuous(path, table)
        again = read_continuous(path)
        for name in ("repeat", "fold", "condition", "person", "y", "predicted"):
            np.testing.assert_array_equal(getattr(again, name), getattr(table, name))
    path.write_text("a,b\n")
    with pytest.raises(HemostreamError, match="has columns"):
        read_continuous(path)


def test_a_folder_of_each_kind_has_its_page_and_others_say_what_is_wanted(tmp_path: Path) -> None:
    def made(name: str, **files: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for stem, values in files.items():
            (folder / f"{stem}.json").write_text(json.dumps(values))
        return folder

    assert write_report(made("sites", sites=SITES)).name == "sites.html"
    assert write_report(made("study", results=study())).name == "report.html"
    folder = made("amount", results=amount(), run=RUN)
    write_continuous(folder / "predictions.csv", amounts("ridge"))
    assert b"Plot" in write_report(folder).read_bytes()
    with pytest.raises(
        HemostreamError, match=r"holds no results\.json: .* hemostream evaluate, or the folder of one"
    ):
        write_report(made("nothing"))
    with pytest.raises(HemostreamError, match="without 'claimed'"):
        write_report(made("other", results={"study": {}, "data": {}}))


def test_what_the_page_says_is_json_too() -> None:
    assert json.loads(json.dumps(as_json(evaluation()), allow_nan=False))["leakage_audit"] is None


def test_what_a_session_would_show_is_what_the_card_would_say() -> None:
    """One rule and one line, on the page and on the card."""
    figure = {"value": 0.8, "interval": [0.6, 0.9], "bootstrap": None, "p": 0.01}
    law = {"centre": 0.0, "mu": 0.5, "between": 0.4, "within": 1.0, "tau": 12.0}
    its = {"accuracy": 0.8, "log_loss": 0.5, "slope": 1.0, "calibration_error": None}
    results = {
        **evaluation().results,
        "network_null": {"of": "permuted", "permutations": 19},
        "order": None,
        "recipe": {
            **RECIPE,
            "settings": {
                "policy": {"min_confidence": None},
                "evidence": {"memory_s": None},
                "evaluation": {"by": "people", "prevalence": None},
            },
        },
        "served": {
            "windows": 100,
            "labels": {"min_confidence": 0.6, "right": 0.7, "majority": 0.5, "share": 0.4, "reason": None},
            "evidence": {
                "of": "person", "people": 20, "units": 20, "block": None, "law": law,
                "rule": {"upper": 2.0, "lower": -2.0}, "reason": None, "remarks": [],
                "checked": {"units": 20, "by_law": its, "as_if_independent": its},
            },
            "comparison": None,
        },
        "conditions": {
            "cgrnn": {
                "by_person": {"auc": figure, "balanced_accuracy": figure},
                "mean_over_people": {"majority_rate": 0.5},
            }
        },
    }  # fmt: skip
    words = served_words(results)
    unseen = evaluated_of(results, report="", date="").unseen
    assert words[0].lower() == f"{unseen.line}.".lower()
    assert "shown from a confidence of .60" in words[1]
    assert "time constant of 12 s" in words[2]
    assert "log odds reach 2.00" in words[2]
    section = served_section(results)
    assert section is not None
    text = ReportPage("r", [section], "").html()
    assert "as if windows were independent" in text
    results["recipe"]["settings"]["policy"]["min_confidence"] = 0.0
    assert served_words(results)[1] == "Every label is shown (set by the recipe)."
    assert served_section({**results, "served": None}) is None
