"""Makes ``docs/reference/commands.md`` of what each command says of itself: ``python -m tests.reference``."""

import re
import sys
from pathlib import Path
from unittest.mock import patch

from tools.cli import make_app

PAGE = Path(__file__).parents[1] / "docs/reference/commands.md"
HEAD = """# Commands

Every command with its options, made from its `--help` (`python -m tests.reference`; a test holds that the
page is current). What a command writes is named by `--out` (`-o`), but for `simulate` and `export`, where it
is an argument. What is there already is refused unless `--overwrite` is given, and every place is tried
before any work. `hemostream --version` tells the version.
"""
NO_DEFAULT = re.compile(r' \*\[default: (False|\(\)|"")\]\*$', re.MULTILINE)


def commands_page() -> str:
    """The page as it should be."""
    with patch.object(sys, "argv", ["hemostream"]):  # from which a usage line takes the program's name
        made = make_app(whole=True).generate_docs(output_format="markdown")
    commands = made[made.index("## hemostream demo") :]
    commands = NO_DEFAULT.sub("", commands.replace("\n    ", " "))
    return f"{HEAD}\n{commands.rstrip()}\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(commands_page(), encoding="utf-8")
