"""A cohort of several montages: each recording's own channels, and one table of rows that holds them all.

The rows of the table are all channels that any recording has.  A window holds 0 in those that its
recording does not have, as windows hold rejected channels: a model that knows where channels are leaves these
out exactly (`models.networks.virtual_probe`).  So all that handles windows handles those of mixed montages.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.errors import HemostreamError, RecipeError
from models.networks.parts.montage import MOST_POINTS, REACH_M, Montage, ServedMontages, covered
from offline.base.window_store import KeptWindows
from offline.samples.recipe import Recipe
from realtime.channels.own_montage import own_channels
from realtime.pipeline import Pipeline
from realtime.signal import Channel, Position, SignalSpec
from realtime.stages.homologues import midline_of, positions_of
from realtime.stages.montages import montage_of

SAME_M = 0.01
"""Channels of one name that lie no farther apart are one, m: no cap sits twice in the same place."""
MOST_ROWS = 4096
GRID_M = 0.005
"""Points on a card are told to this, m."""


@dataclass(frozen=True, eq=False)
class Montages:
    """What the recordings of a cohort have, each its own.

    Parameters
    ----------
    taken : tuple of SignalSpec
        One a recording: the channels that go into the pipeline.
    seen : tuple of SignalSpec
        One a recording: what the pipeline makes of them.
    table : SignalSpec
        All channels of all of ``seen``, each once; positions from the midline, names made unique.
    rows : tuple of tuple of int
        One a recording: the row of each of its channels in the table.
    """

    taken: tuple[SignalSpec, ...]
    seen: tuple[SignalSpec, ...]
    table: SignalSpec
    rows: tuple[tuple[int, ...], ...]

    @property
    def distinct(self) -> Counter[tuple[int, ...]]:
        """How many recordings have each montage, in order of first appearance."""
        return Counter(self.rows)

    @property
    def first(self) -> Montage:
        """Of the first recording: what a bundle's card describes."""
        return montage_of(self.seen[0])

    @property
    def line(self) -> str:
        """Which there are, in words."""
        each = ", ".join(
            f"{len(rows)} channels in {n} recording{'s' * (n > 1)}" for rows, n in self.distinct.items()
        )
        several = len(self.distinct)
        return (
            f"each recording's own channels: {several} montage{'s' * (several > 1)} ({each}), "
            f"{len(self.table)} different channels"
        )

    def scattered(self, windows: KeptWindows, recording: int) -> KeptWindows:
        """Windows of a recording's own channels, as rows of the table; 0 in the others."""
        signal = np.zeros((len(self.table), windows.signal.shape[1]), dtype=np.float32)
        signal[list(self.rows[recording])] = windows.signal
        return KeptWindows(signal, windows.at, windows.n_samples)

    def served(self, recipe: Recipe) -> ServedMontages:
        """Which montages a model of these people serves: near where they had channels, as widely as they."""
        own = [_from_midline(spec) for spec in self.taken]
        points = np.unique(np.round(np.concatenate(own) / GRID_M), axis=0)[:MOST_POINTS] * GRID_M
        # Rounded down: a montage of the training is always served.
        share = min(covered(each, points, REACH_M) for each in own)
        return ServedMontages(
            takes=[str(kind) for kind in recipe.kinds],
            sees=[str(kind) for kind in self.table.kinds],
            points=np.round(points, 4).tolist(),
            least_covered=max(np.floor(1e3 * share) / 1e3, 1e-3),
            min_distance=recipe.input.min_distance,
            max_distance=recipe.input.max_distance,
            trained=[[len(rows), n] for rows, n in self.distinct.items()],
        )


def montages_of(specs: Sequence[tuple[str, SignalSpec]], recipe: Recipe) -> Montages:
    """What each recording has, and the table of all.

    Parameters
    ----------
    specs : sequence of (name, SignalSpec)
        What each recording holds (and measured); at least one.
    recipe : Recipe
        Its ``input`` and ``pipeline``.

    Raises
    ------
    RecipeError
        A recording has no channel to start from, or the pipeline makes other kinds of it than of the first.
    HemostreamError
        Positions are not known, or a stage cannot work on a recording's channels; the message names it.
    """
    wanted = recipe.input
    taken, seen = [], []
    for name, spec in specs:
        rows = own_channels(
            spec, recipe.kinds, min_distance=wanted.min_distance, max_distance=wanted.max_distance
        )
        if not rows:
            raise RecipeError(
                f"Recording {name} has no channel of kind {' or '.join(recipe.kinds)} within the recipe's "
                f"distances; it has {', '.join(spec.kinds) or 'none at all'}. Change the recipe, or leave "
                "the recording out."
            )
        taken.append(spec.pick(rows))
        try:
            seen.append(Pipeline(recipe.pipeline, taken[-1]).spec_out)
            montage_of(seen[-1])
            positions_of(taken[-1])
        except HemostreamError as error:
            raise type(error)(f"Recording {name}: {error}") from error
        if set(seen[-1].kinds) != set(seen[0].kinds):
            raise RecipeError(
                f"Recording {name} gives {', '.join(seen[-1].kinds)}, recording {specs[0][0]} gives "
                f"{', '.join(seen[0].kinds)}; expected the same kinds of all. Leave one out, or select kinds."
            )
    table, rows_of = _table(seen)
    return Montages(tuple(taken), tuple(seen), table, rows_of)


def _table(seen: Sequence[SignalSpec]) -> tuple[SignalSpec, tuple[tuple[int, ...], ...]]:
    """All channels, those of one name, kind and place once; and each recording's rows."""
    known: dict[tuple[str, str], list[int]] = {}
    channels: list[Channel] = []
    places: list[npt.NDArray[np.float64]] = []
    rows = []
    for spec in seen:
        own = []
        for channel, place in zip(spec.channels, _from_midline(spec), strict=True):
            alike = known.setdefault((channel.name, str(channel.kind)), [])
            row = next((i for i in alike if np.linalg.norm(places[i] - place) <= SAME_M), None)
            if row is None:
                row = len(channels)
                name = channel.name if not alike else f"{channel.name} ({len(alike) + 1})"
                alike.append(row)
                channels.append(_placed(channel, name, (place[0], place[1], place[2])))
                places.append(place)
            own.append(row)
        rows.append(tuple(own))
    if len(channels) > MOST_ROWS:
        raise RecipeError(
            f"The recordings have {len(channels)} channels that differ in name, kind or place by more than "
            f"{1e3 * SAME_M:g} mm; expected {MOST_ROWS} or fewer. Select channels in the pipeline, or divide "
            "the cohort."
        )
    return SignalSpec(tuple(channels), seen[0].rate), tuple(rows)


def _placed(channel: Channel, name: str, place: Position) -> Channel:
    return replace(channel, name=name, position=place, source_position=None, detector_position=None)


def _from_midline(spec: SignalSpec) -> npt.NDArray[np.float64]:
    """Where channels are, (n_channels, 3), m, from their midline."""
    where = positions_of(spec)
    where[:, 0] -= midline_of(spec) or 0.0
    return where
