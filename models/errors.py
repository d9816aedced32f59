"""The errors that hemostream declares: everything a person can put right is one of these.

They live on the lowest floor so that every floor can raise them and the command line can
catch them all by one name.  A message says what was found, what was expected, and what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from models.outside import printable

LONGEST = 3000
"""Characters of a message that a person still reads; a damaged file may have put any number into one."""


class HemostreamError(Exception):
    """Something that a person can put right; shown without a traceback."""

    def __str__(self) -> str:
        # Messages show values that came from outside, and are printed.
        return printable(super().__str__(), LONGEST + 5, lines=True)


class RecordingError(HemostreamError):
    """A recording cannot be read, or does not hold what it must."""


class SignalError(HemostreamError):
    """A signal does not have the channels, kinds, units or rate that are needed."""


class ScanError(HemostreamError):
    """One of several scans does not hold what is needed; made by `of`."""

    row: int
    what: str

    @classmethod
    def of(cls, row: int, what: str) -> "ScanError":
        """An error of a row; whoever knows the scan's name says it with `named`.

        Parameters
        ----------
        row : int
            Which scan.
        what : str
            What it has, what was expected, and what to do.
        """
        error = cls(f"Scan {row} {what}")
        error.row, error.what = row, what
        return error

    def named(self, name: str) -> HemostreamError:
        """The same of the scan by its name."""
        return HemostreamError(f"{name} {self.what}")


class RecipeError(HemostreamError):
    """A recipe, a cohort table or a pipeline specification is wrong."""


class BundleError(HemostreamError):
    """A bundle is not whole, not readable, or not the one that was asked for."""


class StreamError(HemostreamError):
    """No stream, too many streams, or a stream that must not be used."""


class VolumeError(HemostreamError):
    """A file of a scanner, or an atlas, is none that can be read."""


class UnfinishedVolumeError(VolumeError):
    """A file of a scanner ends before it holds what it declares: it may still be written."""


class MessageError(HemostreamError):
    """A decision or a status that came from elsewhere is not one of ours."""


class BrokerError(HemostreamError):
    """The broker is unreachable or refuses us."""


class JournalError(HemostreamError):
    """A journal cannot be written or read."""


def near_match(found: str, known: Iterable[str]) -> str:
    """Say what a misspelt name was probably meant to be, then list what there is.

    Parameters
    ----------
    found : str
        The name that is not known.
    known : iterable of str
        Names that would have been.

    Returns
    -------
    str
        ``"Did you mean 'x'? Known: x, y, z."``, without the question where nothing is near.
    """
    names = sorted(known)
    close = get_close_matches(found, names, n=1, cutoff=0.6)
    question = f"Did you mean {close[0]!r}? " if close else ""
    return f"{question}Known: {', '.join(names) or 'none'}."
