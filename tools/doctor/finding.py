"""What a check found: one line, with what is expected and what to do."""

from dataclasses import dataclass
from enum import StrEnum

from models.outside import printable


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    """Would stop a session."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `hemostream doctor`.

    Parameters
    ----------
    check : str
        What was looked at.
    level : Level
        How bad it is.
    found : str
        What was found.
    expected : str
        What should be, where it is not.
    do : str
        What a person can do.
    """

    check: str
    level: Level
    found: str
    expected: str = ""
    do: str = ""

    def __str__(self) -> str:
        parts = [self.found.rstrip(".")]
        if self.expected:
            parts.append(f"expected {self.expected.rstrip('.')}")
        line = "; ".join(parts) + "."
        if self.do:
            line += f" {self.do.rstrip('.')}."
        # Names and descriptions come from other programs: one line stays one line.
        return printable(f"{self.level:8} {self.check}: {' '.join(line.split())}", 3000)


def good(check: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, expected: str = "", do: str = "") -> Finding:
    """Something that a session would survive."""
    return Finding(check, Level.WARNING, found, expected, do)


def problem(check: str, found: str, expected: str = "", do: str = "") -> Finding:
    """Something that would stop a session."""
    return Finding(check, Level.PROBLEM, found, expected, do)
