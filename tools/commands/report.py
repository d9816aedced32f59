"""``hemostream report``: the page of an evaluation or of a study, made again."""

from pathlib import Path

from tools.messages import say


def report(folder: Path) -> None:
    """Make the page of an evaluation, of a study or of study sites again.

    report.html and report.json are replaced.

    Parameters
    ----------
    folder : Path
        The --out of hemostream evaluate or study sites; of study run the folder of one study in it.
    """
    from models.files.output_place import check_folder
    from offline.report.folder import write_report

    check_folder(folder, "The page")
    say(f"Report: {write_report(folder)}")
