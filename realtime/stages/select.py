"""Channel selection: which channels go on, and in which order."""

from collections.abc import Sequence

import numpy as np

from models.errors import RecipeError, SignalError, near_match
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import describe, usable, whole_range
from realtime.stages.outline import Outline, each_unit

NAME = "select"


class Select:
    """Keep the channels that fit every criterion given.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    kinds : sequence of str or None
        Kinds to keep, as in `realtime.signal.Kind`.
    names : sequence of str or None
        Channels to keep; they leave in this order.
    max_distance, min_distance : float or None
        Largest and smallest source-detector distance to keep, metres, both inclusive.  A channel
        whose distance is not known is not kept.

    Raises
    ------
    RecipeError
        If no criterion is given, or one is wrong in itself.
    SignalError
        If a named channel is absent, or no channel is left.
    """

    delay_s = 0.0
    warmup_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        kinds: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        max_distance: float | None = None,
        min_distance: float | None = None,
    ) -> None:
        self.check(
            Outline.of(spec_in),
            kinds=kinds,
            names=names,
            max_distance=max_distance,
            min_distance=min_distance,
            of_signal=True,
        )
        far, near = max_distance, min_distance

        def fits(channel: Channel) -> bool:
            if kinds is not None and channel.kind not in kinds:
                return False
            if far is not None and (channel.distance is None or channel.distance > far):
                return False
            return near is None or (channel.distance is not None and channel.distance >= near)

        order = range(len(spec_in)) if names is None else _rows_named(spec_in, names)
        rows = [row for row in order if fits(spec_in.channels[row])]
        if not rows:
            asked = {
                "kinds": kinds,
                "names": names,
                "max_distance": max_distance,
                "min_distance": min_distance,
            }
            wanted = ", ".join(f"{name} = {value!r}" for name, value in asked.items() if value is not None)
            known = [c.distance for c in spec_in.channels if c.distance is not None]
            distances = f"distances {min(known):g} to {max(known):g} m" if known else "no distances"
            raise SignalError(
                f"Stage {NAME!r} leaves no channel: found {describe(spec_in.channels)} with {distances}; "
                f"expected some with {wanted}."
            )
        self.spec_in = spec_in
        self.spec_out = spec_in.pick(rows)
        self._rows = np.array(rows, dtype=np.intp)
        self._everything = whole_range(self._rows, len(spec_in))

    @staticmethod
    def check(
        before: Outline,
        *,
        kinds: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        max_distance: float | None = None,
        min_distance: float | None = None,
        of_signal: bool = False,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`).

        With ``of_signal`` only the settings are checked: the signal is there, and says itself what is left.
        """
        if kinds is None and names is None and max_distance is None and min_distance is None:
            raise RecipeError(
                f"Stage {NAME!r} has no criterion; expected one or more of kinds, names, max_distance, "
                "min_distance."
            )
        if names is not None:
            settings.strings(NAME, "names", names)
        if kinds is not None:
            settings.strings(NAME, "kinds", kinds, known=[kind.value for kind in Kind])
        # No head is a metre wide: a larger number was meant in millimetres.
        far, near = 1.0, 0.0
        if max_distance is not None:
            far = settings.number(NAME, "max_distance", max_distance, above=0, at_most=1)
        if min_distance is not None:
            near = settings.number(NAME, "min_distance", min_distance, at_least=0, at_most=1)
        if near > far:
            raise RecipeError(
                f"Stage {NAME!r} has min_distance = {near:g} m and max_distance = {far:g} m; expected "
                "min_distance <= max_distance."
            )
        if of_signal:
            return before
        wanted = each_unit(*(kind for kind in Kind if kinds is None or kind in kinds))
        if max_distance is not None or min_distance is not None:
            wanted = tuple(each for each in wanted if each[0] is not Kind.BOLD)  # which has no distance
            before = before.within(near, far)
        after = before.some(NAME, wanted, "what it selects").only(wanted)
        if after.near > after.far:
            raise SignalError(
                f"Stage {NAME!r} leaves no channel: what reaches it has distances from {after.near:g} m up, "
                f"and {after.far:g} m is the most that is kept."
            )
        return after

    def process(self, chunk: Chunk) -> Chunk:
        """Keep the selected rows."""
        missing = ~usable(chunk)
        if self._everything:
            return Chunk(self.spec_out, chunk.data, chunk.times, missing)
        return Chunk(self.spec_out, chunk.data[self._rows], chunk.times, missing[self._rows])

    def reset(self, reason: Reset) -> None:
        """Nothing is carried, so nothing goes."""

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to continue from."""


def _rows_named(spec: SignalSpec, names: Sequence[str]) -> list[int]:
    row_of = {name: row for row, name in enumerate(spec.names)}
    absent = [name for name in names if name not in row_of]
    if absent:
        raise SignalError(
            f"Stage {NAME!r}: {len(absent)} of {len(names)} named channels are not in the signal: "
            f"{', '.join(map(repr, absent))}. {near_match(absent[0], spec.names)}"
        )
    return [row_of[name] for name in names]
