"""``hemostream report``: the page of an evaluation, made again."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def report(folder: Path) -> None:
    """Make the page of an evaluation again: report.html and report.json.

    Parameters
    ----------
    folder : Path
        The --out of hemostream evaluate.
    """
    from offline.report.page import write_report

    print(f"Report {write_report(folder)}")
