"""Page and terminal say one thing of the nulls: which is one here, and of which a column of p is."""

import io
from typing import Any

import pytest

from offline.base.terminal import PlainConsole
from offline.evaluation.evaluate import evaluate
from offline.report.blocks import block_section
from offline.report.console import print_results
from offline.report.evaluation import figures
from offline.report.order_words import null_lines
from offline.report.page import PageSection, Paragraph, TextTable
from tests.offline.support import task_cohort, task_recipe
from tools.commands.evaluate import main_figure


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of people who all had one order of labels."""
    folder = tmp_path_factory.mktemp("shared")
    recipe = task_recipe(model={"kind": "ridge"}, training={}, evaluation={"permutations": 19})
    found = evaluate(task_cohort(folder, people=3, sessions=1), recipe, folder / "out", show=False).figures
    assert found["order"]["shared"]
    return dict(found)


def _heads(section: PageSection | None) -> list[str]:
    assert section is not None
    return [cell for block in section.blocks if isinstance(block, TextTable) for cell in block.head]


def _told(results: dict[str, Any]) -> str:
    said = io.StringIO()
    print_results(results, PlainConsole(file=said, width=400, color_system=None))
    return said.getvalue()


def test_every_column_of_p_says_that_it_is_of_common_orders(results: dict[str, Any]) -> None:
    for section in (block_section(results), figures(results)):
        heads = _heads(section)
        assert "p" not in heads
        assert heads.count("p (common orders)") == 2  # of AUC and of balanced accuracy
    assert _told(results).count("(common orders)") == 4
    usual = results | {"order": results["order"] | {"shared": False}}
    assert "p (common orders)" not in _heads(block_section(usual))


def test_terminal_and_page_have_the_same_sentences_on_nulls(results: dict[str, Any]) -> None:
    lines = null_lines(results)
    assert [each.split(" (")[0] for each in lines] == [
        "With labels permuted within recordings, which is no null here"
    ]
    page = [block.text for block in figures(results).blocks if isinstance(block, Paragraph)]
    terminal = " ".join(_told(results).split())
    assert set(lines) <= set(page)
    assert all(line in terminal for line in lines)
    assert "Where there is nothing to find" not in terminal
    usual = results | {"order": results["order"] | {"shared": False}}
    assert null_lines(usual)[0].startswith("Where there is nothing to find (19 permutations, ")


def test_the_last_line_of_evaluate_names_the_null_that_its_p_is_of(results: dict[str, Any]) -> None:
    assert "on other orders common to all, " in str(main_figure(results))
    usual = results | {"order": results["order"] | {"shared": False}}
    assert "on permuted labels, 19 times" in str(main_figure(usual))
