"""Names that hold markup or escape codes are shown as they are, everywhere a terminal is written to."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from offline.base.terminal import PlainConsole
from realtime.sources.recording import Event
from realtime.status import State, Status
from tests.realtime.sinks.support import some_decision
from tools.commands.live_session import print_trouble
from tools.doctor.finding import good
from tools.view import View

HOSTILE = ["[/red]", "[bold]x", "\x1b[31mred", "a\x9b2Jb", ":smile:", "\u202eevil", "x" * 300, "a\nb\x00"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_view_shows_it(name: str) -> None:
    view = View(name, truth=lambda decision: name)
    decision = some_decision(
        label=name,
        probabilities={name: 0.75, "rest": 0.25},
        evidence=type(some_decision().evidence)(probabilities={name: 0.5}, windows=3, memory_s=None),
    )
    view.decision(decision)
    view.status(Status(session=name, run=1, state=State.LIVE, reason=name, stream=name))
    shown = Console(file=io.StringIO(), width=400, force_terminal=False)
    shown.print(view.render())
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert not any(bad in text for bad in ("\x1b", "\x9b", "\u202e", "\x00"))
    if name.startswith(("[", ":")):
        assert text.count(name) >= 3


@pytest.mark.parametrize("name", HOSTILE)
def test_a_table_and_a_line_show_it(name: str) -> None:
    console = PlainConsole(file=io.StringIO(), width=2000)
    table = Table(title=name, caption=name)
    table.add_column(name)
    table.add_row(name)
    console.print(table, name)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert not any(bad in text for bad in ("\x1b", "\x9b", "\u202e", "\x00"))
    if name.startswith(("[", ":")):
        assert text.count(name) == 5


@pytest.mark.parametrize("name", HOSTILE)
def test_results_of_such_a_person_are_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_trouble(f"a stream is called {name}")
    print(good("streams", name))
    written = capsys.readouterr()
    assert not any(bad in written.out + written.err for bad in ("\x1b", "\x9b", "\u202e", "\x00"))


@pytest.mark.parametrize("name", HOSTILE)
def test_labels_of_files_are_printable(name: str) -> None:
    label = Event(1.0, name).label
    assert not any(bad in label for bad in ("\x1b", "\x9b", "\u202e", "\x00", "\n"))
    assert Event(1.0, label).label == label
