"""The commands that README and the guides show run: each page's blocks in a folder of its own, in order.

A block that cannot run here (it needs a device, a broker, a second terminal, or minutes) has an HTML comment
above it that says so: ``<!-- not run: reason -->``.  These are counted, so that they cannot creep.
"""

import csv
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pinned.inputs import write_scans
from tools.cli import main

HOUSE = Path(__file__).resolve().parents[1]
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs/guide").glob("*.md"))]
NOT_RUN = {
    "README.md": 2,
    "configuration.md": 1,
    "live.md": 2,
    "monitor.md": 2,
    "publishing.md": 1,
    "regions.md": 1,
    "retraining.md": 1,
    "scanner.md": 2,
    "studies.md": 1,
    "training.md": 2,
    "ward.md": 2,
}
"""Blocks of each page that are not run."""
REASON = re.compile(r"<!-- not run: (.{10,}) -->")
NEEDS_BUNDLE = {"live.md"}
"""Pages whose commands take a bundle that another page trains."""
PEOPLE, UNSEEN = 10, 2
"""People of the cohort (p01.snirf and so on), and of another one, who come after them."""
COMMAND = re.compile(r"^(hemostream|make|python|[A-Z_]+=\S+) ", re.MULTILINE)
LEFT = ". .venv/bin/activate"
"""Not run either: a line for a person's shell."""


def blocks(page: Path) -> Iterator[tuple[str | None, list[str]]]:
    """Each block of commands: why it is not run, if it is not, and its lines (joined where they go on)."""
    reason, lines, fence = None, [], ""
    for line in [*page.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("```"):
            fence = "" if fence else line
        elif line.startswith("    ") and not fence:
            lines.append(line.strip())
            continue
        elif found := REASON.match(line):
            reason = found[1]
            continue
        if lines:
            text = "\n".join(lines).replace("\\\n", "")
            if COMMAND.search(text):
                yield reason, text.splitlines()
            reason, lines = None, []


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has before the first command: recordings, tables, a recipe, scans."""
    folder = tmp_path_factory.mktemp("inputs")
    size = "--seconds 60 --pairs 2 --short-pairs 0 --rate 5 --block 10 --rest 8"
    run(f"hemostream simulate {folder}/made --people {PEOPLE + UNSEEN} {size}")
    with (folder / "made/cohort.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for number, row in enumerate(rows, start=1):
        shutil.move(folder / "made" / row["recording"], folder / f"p{number:02d}.snirf")
    shutil.rmtree(folder / "made")
    everybody = range(1, PEOPLE + 1)
    tables = {"cohort": everybody, "locked": (7, 8), "new": range(PEOPLE + 1, PEOPLE + UNSEEN + 1)}
    for name, people in tables.items():
        text = "".join(f"p{number:02d}.snirf\tp{number:02d}\n" for number in people)
        (folder / f"{name}.tsv").write_text(f"recording\tperson\n{text}")
    recipe = (HOUSE / "tests/pinned/task.toml").read_text()
    shutil.copy(folder / f"p{PEOPLE + 1:02d}.snirf", folder / "minutes.snirf")
    (folder / "my.toml").write_text(re.sub(r"(epochs|permutations) = \d+", r"\1 = 2", recipe))
    write_scans(folder / "scans")
    shutil.copy(folder / "scans/p0.csv", folder / "p61.csv")
    return folder


def run(line: str) -> None:
    """Run one command of hemostream in this process."""
    words = shlex.split(line, comments=True)
    assert words[0] == "hemostream", f"{line!r}: mark its block, or show a command of hemostream"
    with pytest.raises(SystemExit) as ended:
        main(words[1:])
    assert not ended.value.code, f"{line} ended with {ended.value.code}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_shows_runs(
    page: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [line for reason, lines in blocks(page) if reason is None for line in lines if line != LEFT]
    if not shown:
        pytest.skip("it shows no command that runs here")
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    if page.name in NEEDS_BUNDLE:
        run("hemostream train cohort.tsv --recipe my.toml --out bundle")
    for line in shown:
        run(line)


def test_blocks_that_are_not_run_are_counted() -> None:
    found = {page.name: sum(reason is not None for reason, _ in blocks(page)) for page in PAGES}
    assert {name: count for name, count in found.items() if count} == NOT_RUN
    for page in PAGES:
        marks = len(REASON.findall(page.read_text(encoding="utf-8")))
        assert marks == found[page.name], f"{page.name}: a mark stands above no block"
