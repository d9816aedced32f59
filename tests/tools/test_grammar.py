"""One grammar for all commands: what each may write, under which name, and what stands there already."""

import inspect
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App, Parameter

from tests.pinned.runs import RUNS
from tests.tools.test_output_places import FILES, FOLDERS
from tools.cli import COMMANDS, main
from tools.outputs import Out

ROOT = Path(__file__).parents[2]
POSITIONAL = {"simulate": "cohort_dir", "export": "out"}
"""Outputs that are arguments; all others are --out."""
NO_OUTPUT = {"doctor", "info", "study list"}
"""Commands that write nothing."""
OWN_RULE = {
    "report": "makes the page of a folder again: replacing it is what it is for",
    "monitor": "its output is a page in a browser; an account is added to --users",
    "replay": "its output is a stream; --side-file is a second one",
}
"""Commands without --out that write something, and why."""
SECOND_OUTPUTS = {
    ("replay", "side_file"): "refused like any output",
    ("live", "journal"): "continued with the next run, never overwritten",
    ("monitor", "users"): "an account is added at its end, none is replaced",
    ("study export", "cache"): "tables by their content: what is there is used, nothing is replaced",
}
"""Further paths that are written to, and what becomes of what is there."""
INPUTS = {
    "atlas", "bundle", "certificate", "cohort", "cohorts", "data", "evaluation", "event_table", "folder",
    "from_", "journal", "key", "layout", "locked", "model", "old_cohort", "recording", "report",
}  # fmt: skip
"""Paths that are only read."""


def commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every command that can be called, with its function."""
    for name, (where, _) in COMMANDS.items():
        module, _, attribute = where.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, App):
            yield name, found
            continue
        for sub in found:
            if not sub.startswith("-"):
                yield f"{name} {sub}", found[sub].default_command


ALL = dict(commands())
WRITING = {name for name in ALL if name not in NO_OUTPUT and name not in OWN_RULE}


def paths_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Parameters that are paths, by name, with their annotations."""
    hints = typing.get_type_hints(function, include_extras=True)
    return {name: hint for name, hint in hints.items() if name != "return" and "Path" in repr(hint)}


def test_every_command_says_what_it_writes() -> None:
    for name, function in ALL.items():
        output = POSITIONAL.get(name, "out")
        assert (output in paths_of(function)) == (name in WRITING), name
    for name in ("study run", "study sites", "study export", "train", "classify"):
        assert name in WRITING


@pytest.mark.parametrize("command", sorted(ALL))
def test_every_path_is_an_input_or_an_output_by_its_rule(command: str) -> None:
    output = POSITIONAL.get(command, "out")
    for name in paths_of(ALL[command]):
        known = name == output or (command, name) in SECOND_OUTPUTS or name in INPUTS
        assert known, f"hemostream {command}: is {name} read or written? Say so above."


@pytest.mark.parametrize("command", sorted(WRITING))
def test_an_output_is_named_out_and_can_be_overwritten(command: str) -> None:
    signature = inspect.signature(ALL[command], eval_str=True)
    overwrite = signature.parameters["overwrite"]
    assert overwrite.default is False
    assert overwrite.kind is inspect.Parameter.KEYWORD_ONLY
    if command in POSITIONAL:
        assert signature.parameters[POSITIONAL[command]].kind is not inspect.Parameter.KEYWORD_ONLY
        return
    out = signature.parameters["out"]
    assert out.kind is inspect.Parameter.KEYWORD_ONLY
    assert out.annotation in (Out, Out | None)


def test_out_is_also_o() -> None:
    (parameter,) = typing.get_args(Out)[1:]
    assert isinstance(parameter, Parameter)
    assert parameter.name == ("--out", "-o")


# Whole outputs of earlier runs, and words that would replace them: there is no cohort, model or data of these
# names, for the output is looked at first.
EARLIER: dict[str, tuple[dict[str, str], Sequence[str]]] = {
    "simulate": ({"out/cohort.tsv": "", "out/truth.json": "{}"}, ("simulate", "out")),
    "init": ({"my.toml": "rate = 5"}, ("init", "nothing", "--out", "my.toml")),
    "pretrain": (
        {"e.safetensors": "w"},
        ("pretrain", "nothing", "--recipe", "tapping", "--out", "e.safetensors"),
    ),
    "train": (
        {"out/card.json": "{}", "out/weights.safetensors": "w"},
        ("train", "nothing", "--recipe", "tapping", "--out", "out"),
    ),
    "calibrate": (
        {"out/card.json": "{}", "out/weights.safetensors": "w"},
        ("calibrate", "--model", "nobody", "--recording", "nothing.snirf", "--out", "out"),
    ),
    "evaluate": ({"out/results.json": "{}"}, ("evaluate", "nothing", "--recipe", "tapping", "--out", "out")),
    "study run": (
        {
            "out/xu2020/results.json": '{"recipe": {"hash": "1"}}',
            "data/cohort.tsv": "recording\tperson\na.snirf\tp\n",
            "data/a.snirf": "signal",
        },
        ("study", "run", "xu2020", "--data", "data", "--out", "out"),
    ),
    "study sites": ({"out/sites.json": "{}"}, ("study", "sites", "--data", "nothing", "--out", "out")),
    "study export": (
        {"out/card.json": "{}", "out/weights.safetensors": "w"},
        ("study", "export", "ridge", "--data", "nothing", "--out", "out"),
    ),
    "classify": (
        {"out.jsonl": '{"schema":1}\n'},
        ("classify", "nothing.snirf", "--model", "nobody", "--out", "out.jsonl"),
    ),
    "live": ({"out.jsonl": '{"schema":1}\n'}, ("live", "--model", "nobody", "--out", "out.jsonl")),
    "export": ({"out.snirf": "snirf"}, ("export", "nothing.hemostream", "out.snirf")),
    "demo": ({"out/demo.hemostream": "journal"}, ("demo", "--out", "out")),
    "replay": ({"side.json": "{}"}, ("replay", "nothing.snirf", "--side-file", "side.json")),
}


def test_no_command_is_left_out() -> None:
    assert set(EARLIER) == WRITING | {"replay"}
    tried = {
        " ".join(words[: 2 if words[0] == "study" else 1]) for words in (*FOLDERS.values(), *FILES.values())
    }
    assert tried >= WRITING - {"study run"}, "tests/tools/test_output_places.py tries where each writes"
    runs = [run.words.split() for run in RUNS]
    ended = {" ".join(each[: 2 if each[0] == "study" else 1]) for each in runs}
    assert ended >= WRITING - {"demo", "live"}, "tests/pinned/test_pinned.py holds widths and last lines"


@pytest.mark.parametrize("command", sorted(EARLIER))
def test_what_is_there_is_refused_and_stays(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    earlier, words = EARLIER[command]
    for name, text in earlier.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    message = capsys.readouterr().err
    assert ended.value.code == 2
    assert "--overwrite" in message
    assert next(iter(earlier)).partition("/")[0] in message
    there = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == set(earlier)
    assert all((tmp_path / name).read_text() == text for name, text in earlier.items())


def test_an_evaluation_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out/work").mkdir(parents=True)
    (tmp_path / "out/results.json").write_text("{}")
    with pytest.raises(SystemExit):
        main(["evaluate", "nothing", "--recipe", "tapping", "--out", "out"])
    assert "--overwrite" not in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--margin", "--subgroup"])
def test_options_that_would_change_nothing_are_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for further in ((), ("--from", "nobody")):
        with pytest.raises(SystemExit) as ended:
            main(["train", "nothing", "--recipe", "demo", "--out", "nowhere", option, "1", *further])
        assert ended.value.code == 2
        assert "--locked" in capsys.readouterr().err


HELPS = """
import contextlib, io, sys
sys.stdout.reconfigure(encoding="utf-8")
from tools.cli import main
for words in sys.argv[1:]:
    with contextlib.suppress(SystemExit):
        main([*words.split(), "--help"])
"""


def test_every_help_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = subprocess.run(
        [sys.executable, "-c", HELPS, "", "study", *ALL],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.count("Usage: hemostream") == len(ALL) + 2
    assert not [line for line in done.stdout.splitlines() if len(line) > 80]
