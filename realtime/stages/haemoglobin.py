"""Whatever an fNIRS device sends, as haemoglobin: so that one recipe serves recordings of any kind.

Devices and files give intensity, optical density, or concentrations that their own software has made.
"""

from collections.abc import Sequence
from dataclasses import replace

from realtime.signal import Chunk, Kind, SignalSpec
from realtime.stages.base import Reset, State
from realtime.stages.beer_lambert import BeerLambert
from realtime.stages.cells import rows_where, usable
from realtime.stages.optical_density import OpticalDensity
from realtime.stages.outline import Outline, each_unit

NAME = "haemoglobin"
TAKEN = (Kind.INTENSITY, Kind.OPTICAL_DENSITY, Kind.HBO, Kind.HBR, Kind.HBT)


class Haemoglobin:
    """`OpticalDensity` where there is intensity, `BeerLambert` where there is optical density.

    Haemoglobin passes unchanged, as channels of other kinds do.  What is left of a channel at a gap or a
    reset is what those stages keep.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    baseline_s : float
        Of `OpticalDensity`, seconds; without intensity nothing is waited for.
    ppf, age : float or sequence of float, float
        Of `BeerLambert`.

    Raises
    ------
    RecipeError
        A setting is wrong.
    SignalError
        No channel is light or haemoglobin, or optical density cannot be converted.
    """

    delay_s = 0.0

    def __init__(
        self,
        spec_in: SignalSpec,
        *,
        baseline_s: float = 10.0,
        ppf: float | Sequence[float] | None = None,
        age: float | None = None,
    ) -> None:
        rows_where(NAME, spec_in, lambda c: c.kind in TAKEN, "light or haemoglobin")
        kinds = {channel.kind for channel in spec_in.channels}
        self.spec_in = spec_in
        self._density = OpticalDensity(spec_in, baseline_s=baseline_s) if Kind.INTENSITY in kinds else None
        self.warmup_s = self._density.warmup_s if self._density else 0.0
        spec = self._density.spec_out if self._density else spec_in
        light = kinds & {Kind.INTENSITY, Kind.OPTICAL_DENSITY}
        self._converted = BeerLambert(spec, ppf=ppf, age=age) if light else None
        self.spec_out = self._converted.spec_out if self._converted else spec

    @staticmethod
    def check(
        before: Outline,
        *,
        baseline_s: float = 10.0,
        ppf: float | Sequence[float] | None = None,
        age: float | None = None,
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        before.some(NAME, each_unit(*TAKEN), "light or haemoglobin")
        # Settings are checked even where nothing may be there to convert.
        light = replace(before, kinds=before.kinds | set(each_unit(Kind.INTENSITY)))
        return BeerLambert.check(OpticalDensity.check(light, baseline_s=baseline_s), ppf=ppf, age=age)

    def process(self, chunk: Chunk) -> Chunk:
        """Convert the next samples."""
        if self._density is not None:
            chunk = self._density.process(chunk)
        if self._converted is None:
            return Chunk(self.spec_out, chunk.data, chunk.times, ~usable(chunk))
        return self._converted.process(chunk)

    def reset(self, reason: Reset) -> None:
        """As `OpticalDensity`."""
        if self._density is not None:
            self._density.reset(reason)

    def state(self) -> State:
        """The baselines; the conversion carries nothing."""
        return {} if self._density is None else self._density.state()

    def restore(self, state: State) -> None:
        """Continue from the baselines of a `state`."""
        if self._density is not None:
            self._density.restore(state)
