"""Optical density to haemoglobin concentrations: the modified Beer-Lambert law.

The law is linear, so its matrix is read off MNE's own public function by sending unit vectors
through it: extinction coefficients, pathlength factor and units then agree with MNE's exactly.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from statistics import median
from typing import cast

import numpy as np

from models.arrays import Bools, Floats
from models.errors import RecipeError, SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages import settings
from realtime.stages.base import Reset, State
from realtime.stages.cells import rows_where, usable
from realtime.stages.outline import Outline, check_memory, each_unit

NAME = "beer_lambert"
PPF = 6.0
"""MNE's default partial pathlength factor."""
MOST_PPF = 1000.0
"""No factor is greater: heads have 3 to 8."""
NEAR, FAR = 0.005, 0.080
"""A median distance (m) outside these is a mistake of unit."""


class BeerLambert:
    """Changes of HbO and HbR, mol/L, from optical density at two or more wavelengths.

    Wavelengths are brought together by source and detector, wherever they are in the signal.
    Pairs leave in the order of their first channel, HbO before HbR, named as MNE does
    (``S1_D2 hbo``); channels that are no optical density follow unchanged.  A concentration is
    missing where any of its wavelengths is.

    Parameters
    ----------
    spec_in : SignalSpec
        The incoming signal.
    ppf : float or sequence of float or None
        Partial pathlength factor, dimensionless: one, or one for each wavelength from the shortest
        to the longest; 6.0 where neither this nor `age` is given.
    age : float or None
        Years: take the factor of each wavelength from `pathlength_factor` instead.

    Raises
    ------
    RecipeError
        If a setting is wrong, both are given, or the number of factors is not that of the wavelengths.
    SignalError
        If there is no optical density, or a channel lacks source, detector, wavelength or distance, or
        a pair has one wavelength only, or distances look like another unit than metres.
    """

    delay_s = 0.0
    warmup_s = 0.0

    def __init__(
        self, spec_in: SignalSpec, *, ppf: float | Sequence[float] | None = None, age: float | None = None
    ) -> None:
        rows = rows_where(NAME, spec_in, _is_density, str(Kind.OPTICAL_DENSITY)).tolist()
        self.check(Outline.of(spec_in), ppf=ppf, age=age)
        pairs = _pairs(spec_in, rows)
        distances = [_distance(spec_in, pair) for pair in pairs]
        _check_unit(distances)
        longest = max(len(pair) for pair in pairs)
        check_memory(
            f"Stage {NAME!r} with {longest} wavelengths", 8.0 * longest * max(3 * len(pairs), longest)
        )
        # Pairs with fewer wavelengths than others repeat one, with weight nought.
        self._sources = np.empty((longest, len(pairs)), dtype=np.intp)
        self._weights = np.zeros((longest, len(pairs), 2, 1))
        channels: list[Channel] = []
        for column, (pair, distance) in enumerate(zip(pairs, distances, strict=True)):
            first = spec_in.channels[pair[0]]
            wavelengths = tuple(float(spec_in.channels[row].wavelength or 0) for row in pair)
            factors = _factors(wavelengths, ppf, age)
            self._sources[:, column] = pair + pair[:1] * (longest - len(pair))
            self._weights[: len(pair), column, :, 0] = concentration_matrix(wavelengths, factors).T / distance
            for kind in (Kind.HBO, Kind.HBR):
                name = f"S{first.source}_D{first.detector} {kind}"
                channels.append(
                    replace(
                        first,
                        name=name,
                        kind=kind,
                        unit="mol/L",
                        wavelength=None,
                        nominal_wavelength=None,
                        distance=distance,
                    )
                )
        self._others = np.array(sorted(set(range(len(spec_in))) - set(rows)), dtype=np.intp)
        self.spec_in = spec_in
        self.spec_out = replace(
            spec_in, channels=(*channels, *(spec_in.channels[row] for row in self._others))
        )

    @staticmethod
    def check(
        before: Outline, *, ppf: float | Sequence[float] | None = None, age: float | None = None
    ) -> Outline:
        """What comes out of a signal of which only this is known (`realtime.stages.outline`)."""
        if ppf is not None and age is not None:
            raise RecipeError(
                f"Stage {NAME!r} has both ppf = {ppf!r} and age = {age!r}; expected one of them."
            )
        if age is not None:
            settings.number(NAME, "age", age, at_least=0, at_most=120)
        elif isinstance(ppf, list | tuple):
            for factor in ppf:
                settings.number(NAME, "ppf", factor, above=0, at_most=MOST_PPF)
            if len(ppf) < 2:
                raise RecipeError(
                    f"Stage {NAME!r}: ppf = {ppf!r} has {len(ppf)} factors; expected one number, or one "
                    "for each of two wavelengths or more."
                )
        elif ppf is not None:
            settings.number(NAME, "ppf", ppf, above=0, at_most=MOST_PPF)
        wanted = each_unit(Kind.OPTICAL_DENSITY)
        after = before.some(NAME, wanted, Kind.OPTICAL_DENSITY)
        if before.near > FAR or before.far < NEAR:
            raise SignalError(
                f"Stage {NAME!r}: the channels that reach it have source-detector distances from "
                f"{before.near:g} to {before.far:g} m; expected a median of {NEAR:g} to {FAR:g} m."
            )
        return after.turned(wanted, each_unit(Kind.HBO, Kind.HBR))

    def process(self, chunk: Chunk) -> Chunk:
        """Convert the next samples."""
        measured = usable(chunk)
        lost: Bools = np.logical_not(measured[self._sources].all(axis=0))  # (n_pairs, n_samples)
        # (wavelength, pair, 1, sample) by (wavelength, pair, chromophore, 1)
        terms = chunk.data[self._sources][:, :, None, :] * self._weights
        concentration = terms.sum(axis=0)
        concentration[np.broadcast_to(lost[:, None, :], concentration.shape)] = np.nan
        n_out = 2 * self._sources.shape[1]
        data = concentration.reshape(n_out, chunk.n_samples)
        missing = np.repeat(lost, 2, axis=0)
        if len(self._others):
            data = np.concatenate([data, chunk.data[self._others]])
            missing = np.concatenate([missing, ~measured[self._others]])
        return Chunk(self.spec_out, data, chunk.times, missing)

    def reset(self, reason: Reset) -> None:
        """Nothing is carried, so nothing goes."""

    def state(self) -> State:
        """Nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to continue from."""


def pathlength_factor(age: float, wavelength: float) -> float:
    """Differential pathlength factor of the frontal head (Scholkmann and Wolf 2013).

    Parameters
    ----------
    age : float
        Years.
    wavelength : float
        Nanometres.

    Returns
    -------
    float
        Dimensionless.

    References
    ----------
    Scholkmann F, Wolf M (2013). General equation for the differential pathlength factor of the
    frontal human head depending on wavelength and age. J Biomed Opt 18(10):105004.
    """
    ageing = 0.05624 * age**0.8493
    return 223.3 + ageing - 5.723e-7 * wavelength**3 + 0.001245 * wavelength**2 - 0.9025 * wavelength


@lru_cache(maxsize=256)
def concentration_matrix(wavelengths: tuple[float, ...], factors: tuple[float, ...]) -> Floats:
    """MNE's matrix from optical density to concentration, for a distance of one metre.

    The law divides by the distance, so dividing this by a pair's distance gives the pair's matrix.

    Parameters
    ----------
    wavelengths : tuple of float
        Nanometres, ascending; MNE takes whole ones.
    factors : tuple of float
        Partial pathlength factor of each, dimensionless.

    Returns
    -------
    (2, n_wavelengths) float64, mol/L times metre
        Rows HbO and HbR.
    """
    import mne

    distance = 0.03  # MNE warns of distances over 10 cm
    names = [f"S1_D1 {round(wavelength)}" for wavelength in wavelengths]
    with mne.utils.use_log_level("error"):
        info = mne.create_info(names, 1.0, "fnirs_od")
        for channel, wavelength in zip(info["chs"], wavelengths, strict=True):
            channel["loc"][3:6] = 0.0
            channel["loc"][6:9] = (distance, 0.0, 0.0)
            channel["loc"][9] = wavelength
        units = mne.io.RawArray(np.eye(len(wavelengths)), info)
        answer = mne.preprocessing.nirs.beer_lambert_law(units, ppf=factors)
    matrix = np.asarray(answer.get_data(), dtype=np.float64) * distance
    matrix.flags.writeable = False  # it is shared by the cache
    return matrix


def _is_density(channel: Channel) -> bool:
    return channel.kind == Kind.OPTICAL_DENSITY


def _pairs(spec: SignalSpec, rows: list[int]) -> list[list[int]]:
    """Rows of each source-detector pair, from the shortest wavelength to the longest."""
    found: dict[tuple[int | None, int | None], list[int]] = {}
    for row in rows:
        channel = spec.channels[row]
        if channel.source is None or channel.detector is None or not channel.wavelength:
            raise SignalError(
                f"Stage {NAME!r}: channel {channel.name!r} has source {channel.source}, detector "
                f"{channel.detector} and wavelength {channel.wavelength}; expected all three to be known "
                "(a layout file can give them)."
            )
        found.setdefault(channel.pair, []).append(row)
    wrong = []
    for pair in found.values():
        pair.sort(key=lambda row: spec.channels[row].wavelength or 0)
        whole = [round(spec.channels[row].wavelength or 0) for row in pair]
        if len(set(whole)) < max(2, len(whole)):
            wrong.append(f"{_pair_name(spec.channels[pair[0]])} ({', '.join(f'{w:d} nm' for w in whole)})")
    if wrong:
        shown = ", ".join(wrong[:8]) + (f" and {len(wrong) - 8} more" if len(wrong) > 8 else "")
        raise SignalError(
            f"Stage {NAME!r} needs two or more different wavelengths for every source-detector pair; "
            f"found {shown}. Leave such pairs out with a 'select' stage, or supply the missing wavelength."
        )
    return list(found.values())


def _pair_name(channel: Channel) -> str:
    name = f"S{channel.source}_D{channel.detector}"
    if (
        channel.source_name
        and channel.detector_name
        and name != f"{channel.source_name}_{channel.detector_name}"
    ):
        return f"{name} = {channel.source_name}-{channel.detector_name}"
    return name


def _distance(spec: SignalSpec, pair: list[int]) -> float:
    """Distance (m) of a pair."""
    for row in pair:
        distance = spec.channels[row].distance
        if distance is not None and np.isfinite(distance) and distance > 0:
            return distance
    raise SignalError(
        f"Stage {NAME!r}: {_pair_name(spec.channels[pair[0]])} has the source-detector distance "
        f"{spec.channels[pair[0]].distance}; expected metres above 0 (a layout file can give distances)."
    )


def _check_unit(distances: list[float]) -> None:
    typical = median(distances)
    if not NEAR <= typical <= FAR:
        raise SignalError(
            f"Stage {NAME!r}: the median source-detector distance is {typical:g} m ({typical * 1e3:g} mm); "
            f"expected {NEAR * 1e3:g} to {FAR * 1e3:g} mm. The recording's length unit is probably wrong."
        )


def _factors(
    wavelengths: tuple[float, ...], ppf: float | Sequence[float] | None, age: float | None
) -> tuple[float, ...]:
    """Partial pathlength factor of each wavelength, dimensionless."""
    if age is not None:
        return tuple(pathlength_factor(age, wavelength) for wavelength in wavelengths)
    if ppf is None:
        return (PPF,) * len(wavelengths)
    if not isinstance(ppf, list | tuple):
        return (float(cast(float, ppf)),) * len(wavelengths)
    if len(ppf) != len(wavelengths):
        raise RecipeError(
            f"Stage {NAME!r}: ppf = {ppf!r} has {len(ppf)} factors; expected one number, or one for each "
            f"of the wavelengths {', '.join(f'{w:g}' for w in wavelengths)} nm."
        )
    return tuple(float(factor) for factor in ppf)
