"""The numbers that every network is made from, checked in one place."""

from collections.abc import Sequence

from models.errors import RecipeError

LARGEST = 2**20
"""No count may be larger: whatever asks for more is a mistake, and would exhaust the memory."""


def check_sizes(network: str, *, least_times: int = 1, hidden: Sequence[int] = (), **sizes: int) -> None:
    """Refuse numbers from which no network can be made.

    Parameters
    ----------
    network : str
        Its name, for the message.
    least_times : int
        Fewest samples the network can work on.
    hidden : sequence of int
        Units of each layer in between.
    **sizes : int
        Channels and samples of a window (``n_chans``, ``n_times``) or columns of a table (``n_inputs``), and
        labels (``n_outputs``).

    Raises
    ------
    RecipeError
        A number is not whole, too small or absurdly large.
    """
    for name, value in (*sizes.items(), *(("hidden", units) for units in hidden)):
        least = least_times if name == "n_times" else 1
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
            advice = " Take a longer window or a higher rate." if name == "n_times" else ""
            raise RecipeError(
                f"{network}: {name} is {value!r}; expected a whole number from {least} to {LARGEST}.{advice}"
            )


def pool_that_fits(pool: int, n_times: int) -> int:
    """Pool size that leaves a recurrent layer at least two steps.

    A window of fMRI holds three or four samples where one of fNIRS holds seventy, so a pool that
    is right for the one would leave nothing of the other.

    Parameters
    ----------
    pool : int
        Samples to pool where there are enough.
    n_times : int
        Samples of the window.

    Returns
    -------
    int
        ``pool``, or less for a short window; at least 1.
    """
    return max(1, min(pool, n_times // 2))
