"""A console for tables and messages that hold names from files: nothing in them is markup or a control code.

Rich takes ``[/red]`` in a person's name for markup (an error where nothing was opened) and passes escape
codes on to the terminal.
"""

import os
from typing import Any

from rich.console import Console
from rich.text import Text

from models.outside import printable


class PlainConsole(Console):
    """Prints texts as they are, what no terminal should get as escapes; parameters are rich's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    @property
    def unlimited(self) -> bool:
        """Whether lines may be as long as they are: in a file, unless ``COLUMNS`` says how wide it is."""
        return not self.is_terminal and not os.environ.get("COLUMNS", "").isdigit()

    def render_str(self, text: str, **options: Any) -> Text:
        """Every plain text comes through here: cells, titles, what is printed."""
        return super().render_str(printable(text, None, lines=True), **options)
