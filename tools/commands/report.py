"""``hemostream report``: the page of an evaluation or of a study, made again."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def report(folder: Path) -> None:
    """Make the page of an evaluation, of a study, or of study sites again.

    Parameters
    ----------
    folder : Path
        The --out of hemostream evaluate or study sites; of study run the folder of one study in it.
    """
    from offline.report.folder import write_report

    print(f"Report {write_report(folder)}")
