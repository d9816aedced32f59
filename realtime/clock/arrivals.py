"""How many samples come together: what is pushed as one chunk arrives as one."""

from collections.abc import Mapping
from typing import Any

ONE_BY_ONE = 8
"""Samples in a row, each of which came at least half a period behind the one before, that were pushed one by
one: what is pushed together comes together."""


class Arrivals:
    """Groups of samples by when they came.

    Parameters
    ----------
    nominal : float
        The declared period, s.
    """

    def __init__(self, nominal: float) -> None:
        self._nominal = nominal
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._last: float | None = None  # when the last sample came
        self._alone = 0  # samples in a row that came one by one
        self._groups: list[int] = []  # samples that came together, the latest groups ...
        self._group = 0  # ... and the one that may still go on

    def add(self, arrived: float) -> None:
        """The next sample came at this time (s): alone, or with others."""
        alone = self._last is not None and arrived - self._last >= 0.5 * self._nominal
        if alone:
            self._groups = [*self._groups, self._group][-ONE_BY_ONE:]
            self._group = 0
        self._group += 1
        self._last = arrived
        self._alone = self._alone + 1 if alone else 0

    @property
    def one_by_one(self) -> bool:
        """Whether samples come one by one."""
        return self._alone >= ONE_BY_ONE

    @property
    def most(self) -> int | None:
        """Most samples that came together; None before enough groups came."""
        return max(*self._groups, self._group) if len(self._groups) == ONE_BY_ONE else None

    @property
    def grouped(self) -> int:
        """Samples of the latest groups, without the one that may still go on."""
        return sum(self._groups)

    def state(self) -> dict[str, Any]:
        """Everything the future depends on, as JSON values."""
        return {"last": self._last, "alone": self._alone, "groups": list(self._groups), "group": self._group}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a `state`."""
        self._last, self._alone = state["last"], state["alone"]
        self._groups, self._group = list(state["groups"]), state["group"]
