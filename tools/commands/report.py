"""``hemostream report``: the page of an evaluation, made again."""

from pathlib import Path

from tools.messages import say


def report(folder: Path) -> None:
    """Make the page of an evaluation again: report.html and report.json, which are replaced.

    Parameters
    ----------
    folder : Path
        The --out of hemostream evaluate.
    """
    from models.output_place import check_folder
    from offline.report.page import write_report

    check_folder(folder, "The page")
    say(f"Report: {write_report(folder)}")
