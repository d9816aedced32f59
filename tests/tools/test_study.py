"""``hemostream study``: systems of recordings give the figures of evaluate; kinds of data are kept apart."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from models.errors import HemostreamError
from offline.evaluation.evaluate import evaluate
from offline.report.page import TextTable
from offline.samples.recipe import load_recipe, recipe_names
from offline.studies import STUDIES, choice
from offline.studies.choice import folder_of, wanted_on
from offline.studies.recorded import RECORDED, is_cohort
from tools.commands.simulate import simulate
from tools.commands.study import list_, run
from tools.messages import markdown_for_terminal


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    simulate(
        folder, people=6, seconds=170.0, pairs=2, short_pairs=0, rate=5.0, group_effect=2.0, resting=True
    )
    return folder


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A system's own recipe but for what it may cost; one of them, for both go the same way."""
    recipes = {}
    for name, system in list(RECORDED.items())[-1:]:
        text = files("offline").joinpath("recipes", f"{system.recipe}.toml").read_text()
        assert text.count("repeats = 3") == 1
        recipes[name] = tmp_path / f"{name}-short.toml"
        recipes[name].write_text(
            text.replace("repeats = 3", "repeats = 1\npermutations = 5") + "\n[budget]\nepochs = 1\n"
        )
    changed = {name: replace(RECORDED[name], recipe=str(recipe)) for name, recipe in recipes.items()}
    monkeypatch.setattr(choice, "RECORDED", MappingProxyType(changed))
    monkeypatch.setattr("offline.studies.recorded.RECORDED", MappingProxyType(changed))
    return recipes


def scans_folder(folder: Path) -> Path:
    """48 people of two sites, a table of three numbers, types written as diagnoses, and a score."""
    rng = np.random.default_rng(0)
    rows = ["person\tfile\tdiagnosis\tsite\tage\tsex\tburden"]
    for i in range(48):
        np.savetxt(folder / f"p{i}.csv", rng.normal(size=(1, 3)) + i % 3, delimiter=",")
        label = ("TD", "combined", "inattentive")[i % 3]
        site, burden = "ab"[i // 3 % 2], i % 3 + rng.normal()
        rows.append(f"p{i}\tp{i}.csv\t{label}\t{site}\t{8 + i % 5}\tM\t{burden:.3f}")
    (folder / "phenotypes.tsv").write_text("\n".join(rows) + "\n")
    return folder


def test_all_on_a_cohort_is_evaluate_with_recipe_and_audit(
    cohort: Path, short: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data=cohort, out=tmp_path / "study", all_=True, workers=1)
    assert str(tmp_path / "study" / next(iter(short)) / "report.html") in capsys.readouterr().out
    for name, recipe in short.items():
        evaluate(cohort, load_recipe(recipe), tmp_path / name, audited=True, show=False)
        theirs, ours = tmp_path / name, tmp_path / "study" / name
        written = {each.name for each in theirs.iterdir()}
        assert {each.name for each in ours.iterdir()} == written
        assert "audit.json" in written
        for file in ("results.json", "predictions.csv", "samples.csv", "audit.json"):
            assert (ours / file).read_bytes() == (theirs / file).read_bytes(), file
    capsys.readouterr()
    run(data=cohort, out=tmp_path / "study", all_=True, workers=1)  # as after a run that was stopped later
    assert f"{next(iter(short))}: its report is whole and is kept." in capsys.readouterr().out
    with pytest.raises(HemostreamError, match=r"another cohort or recipe.*--overwrite"):
        run(data=cohort, out=tmp_path / "study", all_=True, workers=1, allow_damaged=True)


def test_systems_of_recordings_are_recipes_that_ship_and_claim_what_their_papers_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for system in RECORDED.values():
        assert system.recipe in recipe_names()
        assert system.name not in STUDIES
        assert system.paper.claims
        assert system.paper
        best = load_recipe(system.recipe).model.channels == "best"
        assert bool(system.not_exportable_because) == best  # a bundle holds networks of all channels
    list_()
    shown = capsys.readouterr().out
    for text in ("92.2/85/99.4 (HbR, channel 10)", "95/98.6/91.4 (HbO)", "recipe xu2020", "jung2019"):
        assert text in shown


@pytest.mark.parametrize("beside", [True, False])
def test_on_80_columns_no_name_and_no_figure_is_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    list_(report=tmp_path if beside else None)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert "…" not in shown
    for text in (*STUDIES, *RECORDED, "96.26/98.03/93.62", " yes"):
        assert text in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_tables_that_do_not_fit_the_terminal_are_listed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    head = ("system", "unseen site: accuracy / balanced", *(f"figure {i}" for i in range(9)))
    rows = [("Ridge | own", "0.646 / 0.646", *(f"0.{i}" for i in range(8)), "")]
    text = TextTable(head, rows).markdown() + "\n\n" + "A note. " * 20 + "\n"
    monkeypatch.delenv("COLUMNS", raising=False)
    assert markdown_for_terminal(text) == text  # a file gets it as it is
    monkeypatch.setenv("COLUMNS", "80")
    shown = markdown_for_terminal(text)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.splitlines()[:3] == [
        "Ridge | own",
        "  unseen site: accuracy / balanced: 0.646 / 0.646",
        "  figure 0: 0.0",
    ]
    assert "  figure 8: –\n\nA note." in shown
    assert "---" not in shown
    monkeypatch.setenv("COLUMNS", "300")
    assert markdown_for_terminal(text).split() == text.split()


def test_a_folder_of_reports_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HemostreamError, match=r"no folder .*nowhere.*study run"):
        list_(report=tmp_path / "nowhere")


def test_data_of_the_other_kind_are_refused_by_name(cohort: Path, tmp_path: Path) -> None:
    scans = scans_folder(tmp_path)
    assert is_cohort(cohort)
    assert is_cohort(cohort / "cohort.tsv")
    assert not is_cohort(scans)
    assert not is_cohort(scans / "phenotypes.tsv")
    assert not is_cohort(tmp_path / "nowhere")
    with pytest.raises(
        HemostreamError, match=r"xu2019 reads a cohort of fNIRS recordings.*cohort.tsv.*ridge"
    ):
        run(["xu2019"], data=scans, out=tmp_path / "out")
    with pytest.raises(
        HemostreamError, match=r"jung2019 reads scans.*is a cohort of recordings.*xu2019, xu2020"
    ):
        run(["jung2019"], data=cohort, out=tmp_path / "out")
    with pytest.raises(HemostreamError, match=r"no system 'xu2091'.*xu2019"):
        run(["xu2091"], data=cohort, out=tmp_path / "out")
    with pytest.raises(HemostreamError, match="Name a system"):
        run(data=cohort, out=tmp_path / "out")
    with pytest.raises(HemostreamError, match=r"--target type: .* stands in the recipe"):
        run(["xu2019"], data=cohort, out=tmp_path / "out", target="type")
    assert not (tmp_path / "out").exists()
    assert wanted_on(cohort, (), everything=True) == ["xu2019", "xu2020"]
    assert wanted_on(scans, (), everything=True) == list(STUDIES)


def test_targets_have_folders_of_their_own_and_all_takes_what_can_tell_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = scans_folder(tmp_path)
    out = tmp_path / "out"
    run(["age-sex"], data=scans, out=out, workers=1)
    results = json.loads((out / "age-sex/results.json").read_text())
    assert results["data"]["labels"] == ["TD", "combined", "inattentive"]
    assert "recall" in results["conditions"]["10-fold"]
    before = (out / "studies.md").read_bytes()
    capsys.readouterr()
    run(data=scans, out=out, all_=True, target="burden", workers=1)
    assert {each.name for each in (out / "burden").iterdir() if each.is_dir()} == {
        "ridge-table",
        "age-sex",  # and not motion, which these data do not say
        "cache",
    }
    summary = capsys.readouterr().out
    assert "Ridge on a table as it is" in summary
    assert (out / "burden/studies.md").read_text() in summary
    assert "burden" in (out / "burden/index.html").read_text()
    assert (out / "studies.md").read_bytes() == before
    with pytest.raises(HemostreamError, match=r"no target 'burdn'.*Known: burden, diagnosis\."):
        run(["ridge-table"], data=scans, out=out, target="burdn", workers=1)
    with pytest.raises(HemostreamError, match=r"graphs is for ADHD-200; .* holds scans of your own"):
        run(["ridge-table"], data=scans, out=out, derivative="graphs", workers=1)
    with pytest.raises(HemostreamError, match=r"another profile.*--overwrite"):
        run(["age-sex"], data=scans, out=out, profile="full", workers=1)
    assert folder_of(out, "diagnosis") == out
    assert folder_of(out, "../Hyper/Impulsive") == out / "-Hyper-Impulsive"
