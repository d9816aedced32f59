"""The live terminal view: the state of a session at this moment, and how old that is."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.outside import printable
from realtime.decision import Decision, Evidence
from realtime.quality.policy import Reason
from realtime.status import State, Status
from tools.capture_stderr import CaptureStderr

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
HISTORY = 60
BAR = 32


class View:
    """A panel that follows a session; also a sink-like listener.

    Parameters
    ----------
    title : str
        Shown on the frame.
    first_after_s : float
        Stream seconds from the first sample to the first decision that is possible: warm-up and window.
    truth : callable or None
        Gives the true label of a decided window, where it is known (a demo).
    """

    def __init__(
        self, title: str, *, first_after_s: float = 0.0, truth: Callable[[Decision], str | None] | None = None
    ) -> None:
        self._title = printable(title)
        self._first_after_s = first_after_s
        self._began = 0.0
        self._truth = truth
        self._status: Status | None = None
        self._latest: Decision | None = None
        self._strip: deque[tuple[str, str]] = deque(maxlen=HISTORY)
        console = Console()
        self._live = Live(get_renderable=self.render, refresh_per_second=4, console=console, transient=False)
        self._aside = CaptureStderr(console)

    def __enter__(self) -> Self:
        self._live.start()
        self._aside.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._aside.__exit__(kind, error, traceback)
        with suppress(OSError):  # the terminal may be gone
            self._live.stop()

    def decision(self, decision: Decision) -> None:
        """Take the newest decision."""
        if self._latest is None:
            self._began = decision.window_start
        self._latest = decision
        if decision.abstained:
            self._strip.append(("·", "dim"))
        else:
            assert decision.probabilities is not None
            colour = COLOURS[list(decision.probabilities).index(decision.label) % len(COLOURS)]
            self._strip.append(("█", colour))

    def status(self, status: Status) -> None:
        """Take the newest status."""
        self._status = status

    def render(self) -> RenderableType:
        """The panel as it is now."""
        parts: list[RenderableType] = [self._state_line()]
        if (status := self._status) is not None and status.evaluation:
            parts.append(Text(printable(f"{status.evaluation}; {status.labels}", None), style="dim"))
        # What was decided before the stream stalled says nothing of now: only an abstention may be shown.
        if self._latest is not None and (self._live_now() or self._counts_down(self._latest)):
            parts += [self._now(self._latest), self._history()]
        parts.append(Text("Research use only. Not a diagnosis.", style="dim italic"))
        return Panel(Group(*parts), title=Text(self._title), border_style="blue", padding=(1, 2))

    def _live_now(self) -> bool:
        return self._status is not None and self._status.state is State.LIVE

    def _counts_down(self, decision: Decision) -> bool:
        """Whether the warm-up runs, so that there is no label yet, and a time to wait for."""
        return self._status is not None and self._status.state is State.BASELINE and decision.abstained

    def _state_line(self) -> Text:
        status = self._status
        if status is None:
            return Text("starting")
        style = {State.LIVE: "bold green", State.STALLED: "bold red", State.LOST: "bold red"}.get(
            status.state, "bold yellow"
        )
        line = Text.assemble((str(status.state), style))
        if status.origin and status.origin != "live":
            line.append(f"  ({printable(status.origin)} stream)", style="bold yellow")
        if status.state is not State.LIVE and status.since_utc:
            line.append(f"  since {printable(status.since_utc)}")
        if status.reason:
            line.append(f"  {printable(status.reason, None)}")
        return line

    def _now(self, decision: Decision) -> Table:
        table = Table.grid(padding=(0, 2))
        if decision.abstained:
            why = f"abstains: {printable(', '.join(decision.reasons), None)}"
            table.add_row("decision", Text(why + self._countdown(decision), style="yellow"))
        else:
            word = printable(decision.label)
            if self._truth is not None:
                known = self._truth(decision)
                word += f"   (truth: {printable(known or 'between blocks')})"
            table.add_row("decision", Text(word, style="bold"))
        for i, (label, p) in enumerate((decision.probabilities or {}).items()):
            bar = "█" * round(p * BAR)
            table.add_row(
                Text(printable(label)), Text(f"{bar:<{BAR}} {p:5.1%}", style=COLOURS[i % len(COLOURS)])
            )
        evidence = ", ".join(
            f"{printable(label)} {p:.0%}" for label, p in decision.evidence.probabilities.items()
        )
        table.add_row("so far", Text(f"{evidence} over {_windows(decision.evidence)}"))
        table.add_row(
            "measured",
            f"{decision.coverage:.1%} of {decision.channels} channels, "
            f"largest gap {decision.largest_gap_s:.1f} s",
        )
        table.add_row(
            "age",
            f"{max(decision.age_s, 0.0):.1f} s when it was made; "
            f"the filters show what was {decision.delay_s:.1f} s before",
        )
        return table

    def _countdown(self, decision: Decision) -> str:
        if Reason.WARMING_UP not in decision.reasons:
            return ""
        left = self._first_after_s - (decision.window_end - self._began)
        return f", the first decision in about {left:.0f} s" if left > 0 else ""

    def _history(self) -> Text:
        line = Text("history  ", style="dim")
        for mark, style in self._strip:
            line.append(mark, style=style)
        return line


def _windows(evidence: Evidence) -> str:
    """How many windows evidence is made of, what they are worth, and whether one may stop."""
    text = f"{evidence.windows} windows"
    if evidence.effective_windows is not None:
        text += f", worth {evidence.effective_windows:.1f} independent ones"
    return f"{text}; enough to stop: {printable(evidence.stopped)}" if evidence.stopped else text
