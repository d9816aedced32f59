"""The documentation holds: links resolve, and every command, option and module that it names exists."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.reference import PAGE, commands_page

HOUSE = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [HOUSE / "README.md", HOUSE / "CONTRIBUTING.md", HOUSE / "CHANGELOG.md", *HOUSE.glob("docs/**/*.md")]
)
README_LINES = 150

LINK = re.compile(r"\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
MODULE = re.compile(r"python -m (tools[a-z0-9_.]*)")
HELPS = """
import contextlib, io, json, os
os.environ["COLUMNS"] = "400"
import tools.cli as cli, realtime.quality.policy as quality
def help_of(*words):
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        cli.main([*words, "--help"])
    return shown.getvalue()
helps = {name: help_of(name) for name in cli.COMMANDS}
helps |= {f"study {name}": help_of("study", name) for name in ("list", "run", "sites", "export")}
print(json.dumps([helps, {name: str(value) for name, value in quality.Policy().model_dump().items()}]))
"""


def ids(path: Path) -> str:
    return str(path.relative_to(HOUSE))


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_of(page: Path) -> Iterator[str]:
    """What is set as code: spans, and lines of blocks, continued ones joined."""
    fenced = False
    pending = ""
    for line in text_of(page).splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            pending += line.strip()
            if pending.endswith("\\"):
                pending = pending[:-1]
                continue
            yield pending.partition(" # ")[0]
            pending = ""
        else:
            yield from SPAN.findall(line)


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.fixture(scope="module")
def printed() -> list[dict[str, str]]:
    """What every command says of itself, by its name; the fields of a policy and their defaults."""
    done = subprocess.run(
        [sys.executable, "-c", HELPS], cwd=HOUSE, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def helps(printed: list[dict[str, str]]) -> dict[str, str]:
    assert all("Usage: hemostream" in one for one in printed[0].values())
    return printed[0]


def test_the_defaults_of_a_policy_are_those_that_are_written_down(printed: list[dict[str, str]]) -> None:
    page = text_of(HOUSE / "docs/guide/live.md")
    assert not [f"`{name}` {value}" for name, value in printed[1].items() if f"`{name}` {value}" not in page]


def options_in(text: str) -> set[str]:
    return set(OPTION.findall(text))


def wrong_commands(code: str, helps: dict[str, str]) -> list[str]:
    """What of one piece of code hemostream does not know."""
    wrong = []
    for call in re.findall(r"(?<![\w./-])hemostream ([^|;]+)", code):
        words = call.split()
        command = words[0]
        if command in ("COMMAND", "--help", "--version") or not re.fullmatch(r"[a-z]+", command):
            continue
        if command not in helps:
            wrong.append(f"hemostream {command}")
            continue
        if command == "study" and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
            command = f"study {words[1]}"
        known = options_in(helps.get(command, "")) | {"--help"}
        wrong += [f"hemostream {command} {one}" for one in OPTION.findall(call) if one not in known]
    return wrong


def test_the_readme_can_be_read_in_five_minutes() -> None:
    assert len(text_of(HOUSE / "README.md").splitlines()) < README_LINES


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.is_relative_to(HOUSE) or not target.exists():
            broken.append(link)
        elif anchor and anchor not in anchors(target):
            broken.append(f"{link} (no such heading)")
    assert not broken


def test_every_page_is_linked() -> None:
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in LINK.findall(text_of(page))
    }
    assert not [ids(page) for page in PAGES if page not in linked and page.name != "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_exist(page: Path, helps: dict[str, str]) -> None:
    assert not [wrong for code in code_of(page) for wrong in wrong_commands(code, helps)]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("hemostream live --model bundle --take-over", []),
        ("hemostream live --takeover", ["hemostream live --takeover"]),
        ("hemostream listen", ["hemostream listen"]),
        ("hemostream study run --target type", []),
        ("hemostream study sites --target type", ["hemostream study sites --target"]),
        ("hemostream study plan --all", ["hemostream study plan --all"]),
    ],
)
def test_what_does_not_exist_is_seen(code: str, wrong: list[str], helps: dict[str, str]) -> None:
    assert wrong_commands(code, helps) == wrong


def test_every_command_is_in_the_index(helps: dict[str, str]) -> None:
    index = text_of(HOUSE / "docs/README.md")
    assert not [name for name in helps if " " not in name and f"| `hemostream {name}` |" not in index]


def test_the_reference_is_what_the_commands_say() -> None:
    assert text_of(PAGE) == commands_page(), "make it again: python -m tests.reference"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_a_page_has_one_title_and_relative_links(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert not [link for link in LINK.findall(text) if link.startswith("/")]


def test_every_page_is_in_the_index() -> None:
    folders = ("docs", "docs/guide", "docs/reference", "docs/evidence")
    linked = {
        (HOUSE / folder / link.partition("#")[0]).resolve()
        for folder in ("docs", "docs/evidence")
        for link in LINK.findall(text_of(HOUSE / folder / "README.md"))
    }
    pages = {page for folder in folders for page in (HOUSE / folder).glob("*.md") if page.name != "README.md"}
    assert not [ids(page) for page in sorted(pages - linked)]


def runnable(module: str) -> Path | None:
    """What ``python -m`` would run; None where it cannot."""
    path = HOUSE / Path(*module.split("."))
    main = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    return main if main.is_file() and "__main__" in main.read_text(encoding="utf-8") else None


MODULE_HELPS = """
import contextlib, io, json, runpy, sys

found = {}
for module in sys.argv[1:]:
    sys.argv = [module, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as text:
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            assert not ended.code, module
    found[module] = text.getvalue()
print(json.dumps(found))
"""


@cache
def helps_of_modules() -> dict[str, str]:
    """What each module that some page names says of itself, all asked in one process."""
    named = {
        found[1].rstrip(".") for page in PAGES for code in code_of(page) if (found := MODULE.search(code))
    }
    modules = sorted(module for module in named if runnable(module) is not None)
    command = [sys.executable, "-c", MODULE_HELPS, *modules]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    helps: dict[str, str] = json.loads(done.stdout)
    return helps


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_modules_and_their_options_exist(page: Path) -> None:
    wrong = []
    for code in code_of(page):
        if (found := MODULE.search(code)) is None:
            continue
        module = found[1].rstrip(".")
        if runnable(module) is None:
            wrong.append(module)
        elif asked := OPTION.findall(code[found.end() :]):
            known = options_in(helps_of_modules()[module])
            wrong += [f"{module} {one}" for one in asked if one not in known]
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_options_that_stand_alone_exist_somewhere(page: Path, helps: dict[str, str]) -> None:
    unknown = {code.split()[0].partition("=")[0].rstrip(",") for code in code_of(page) if OPTION.match(code)}
    unknown -= {"--help", "--version"} | {option for text in helps.values() for option in options_in(text)}
    modules = {found[1].rstrip(".") for code in code_of(page) if (found := MODULE.search(code))}
    for module in sorted(modules):  # asked only where an option is none of hemostream's
        if unknown and runnable(module):
            unknown -= options_in(helps_of_modules()[module])
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_make_targets_exist(page: Path) -> None:
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    asked = {found[1] for code in code_of(page) if (found := re.match(r"make ([a-z]+)$", code.strip()))}
    assert not [one for one in asked if not re.search(rf"^{one}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_variables_are_read_somewhere(page: Path) -> None:
    asked = set(re.findall(r"`(HEMOSTREAM_[A-Z_]+)`", text_of(page)))
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for floor in ("models", "realtime", "offline", "tools", "tests")
        for path in (HOUSE / floor).rglob("*.py")
        if path != Path(__file__).resolve()
    )
    assert not [one for one in sorted(asked) if one not in source]


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "evidence"], ids=ids)
def test_evidence_names_its_command_and_commit(page: Path) -> None:
    if page.name == "README.md":
        return
    text = text_of(page)
    assert re.search(r"python -m tools|hemostream |make |pytest ", text), "no command"
    assert re.search(r"`[0-9a-f]{7,40}`", text), "no commit"
