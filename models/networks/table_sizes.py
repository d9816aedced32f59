"""The numbers that every network over a table is made from, checked in one place."""

from collections.abc import Sequence

from models.errors import RecipeError
from models.networks.sizes import LARGEST


def check_table_sizes(network: str, *, n_inputs: int, n_outputs: int, hidden: Sequence[int] = ()) -> None:
    """Refuse numbers from which no network can be made.

    Parameters
    ----------
    network : str
        Its name, for the message.
    n_inputs, n_outputs : int
        Columns of the table, and labels.
    hidden : sequence of int
        Units of each layer in between.

    Raises
    ------
    RecipeError
        A number is not whole, below 1 or absurdly large.
    """
    found = [("n_inputs", n_inputs), ("n_outputs", n_outputs), *(("hidden", units) for units in hidden)]
    for name, value in found:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
            raise RecipeError(f"{network}: {name} is {value!r}; expected a whole number from 1 to {LARGEST}.")
