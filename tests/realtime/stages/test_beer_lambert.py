"""Optical density to haemoglobin, compared with MNE."""

from pathlib import Path

import mne
import numpy as np
import pytest

from models.errors import RecipeError, SignalError
from realtime.signal import Channel, Chunk, Kind, SignalSpec
from realtime.stages.beer_lambert import BeerLambert, concentration_matrix, pathlength_factor


def _density(source: int, detector: int, wavelength: float | None, distance: float | None = 0.03) -> Channel:
    return Channel(
        name=f"[{source}] Rx{detector}-Tx{source} [{wavelength}nm]",
        kind=Kind.OPTICAL_DENSITY,
        unit="1",
        source=source,
        detector=detector,
        wavelength=wavelength,
        distance=distance,
    )


@pytest.mark.parametrize("ppf", [6.0, [6.2, 5.1]])
def test_it_agrees_with_mne_on_a_real_recording_in_any_channel_order(
    data_dir: Path, ppf: float | list[float]
) -> None:
    file = sorted((data_dir / "fnirs" / "rest").glob("*.snirf"))[0]
    raw = mne.io.read_raw_snirf(file, preload=True, verbose="error")
    density = mne.preprocessing.nirs.optical_density(raw, verbose="error")
    theirs = mne.preprocessing.nirs.beer_lambert_law(density, ppf=ppf)
    distances = mne.preprocessing.nirs.source_detector_distances(raw.info)
    channels = []
    for name, distance in zip(raw.ch_names, distances, strict=True):
        optodes, wavelength = name.split(" ")
        source, detector = (int(part[1:]) for part in optodes.split("_"))
        channels.append(_density(source, detector, float(wavelength), float(distance)))
    order = np.random.default_rng(0).permutation(len(channels))
    spec = SignalSpec(tuple(channels), raw.info["sfreq"]).pick(order.tolist())
    data = density.get_data()[order]
    out = BeerLambert(spec, ppf=ppf).process(Chunk(spec, data, raw.times, np.zeros(data.shape, dtype=bool)))
    expected = theirs.get_data()[[theirs.ch_names.index(name) for name in out.spec.names]]
    assert sorted(out.spec.names) == sorted(theirs.ch_names)
    assert {c.kind for c in out.spec.channels} == {Kind.HBO, Kind.HBR}
    assert not out.missing.any()
    np.testing.assert_allclose(out.data, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_three_wavelengths_give_the_least_squares_answer() -> None:
    """Shimadzu's 780, 805 and 830 nm: concentrations that produce a density are found again."""
    wavelengths = (780.0, 805.0, 830.0)
    law = np.linalg.pinv(concentration_matrix(wavelengths, (6.0,) * 3))  # mol/L metre -> density
    truth = np.array([[1e-6, -2e-6], [-0.4e-6, 0.7e-6]])
    spec = SignalSpec(tuple(_density(1, 2, w, 0.03) for w in (830.0, 780.0, 805.0)), 14.3)
    data = (law @ truth * 0.03)[[2, 0, 1]]
    out = BeerLambert(spec).process(Chunk(spec, data, np.array([0.0, 0.1]), np.zeros((3, 2), dtype=bool)))
    assert out.spec.names == ("S1_D2 hbo", "S1_D2 hbr")
    np.testing.assert_allclose(out.data, truth, rtol=1e-9)


def test_pairs_with_two_and_three_wavelengths_go_together() -> None:
    two = [_density(1, 1, 760.0), _density(1, 1, 850.0)]
    three = [_density(2, 1, 780.0), _density(2, 1, 805.0), _density(2, 1, 830.0)]
    rng = np.random.default_rng(1)
    data = rng.standard_normal((5, 4))
    both = SignalSpec((*two, *three), 10.0)
    times, measured = np.arange(4.0), np.zeros((5, 4), dtype=bool)
    out = BeerLambert(both).process(Chunk(both, data, times, measured))
    alone = SignalSpec(tuple(two), 10.0)
    first = BeerLambert(alone).process(Chunk(alone, data[:2], times, measured[:2]))
    np.testing.assert_allclose(out.data[:2], first.data, rtol=1e-12)
    matrix = concentration_matrix((780.0, 805.0, 830.0), (6.0,) * 3) / 0.03
    np.testing.assert_allclose(out.data[2:], matrix @ data[2:], rtol=1e-9)


def test_a_concentration_needs_every_wavelength_and_no_other_pair() -> None:
    spec = SignalSpec(tuple(_density(s, 1, w) for s in (1, 2) for w in (760.0, 850.0)), 10.0)
    missing = np.zeros((4, 3), dtype=bool)
    missing[1, 0] = missing[2, 2] = True
    data = np.where(missing, np.nan, 0.1)
    out = BeerLambert(spec).process(Chunk(spec, data, np.arange(3.0), missing))
    np.testing.assert_array_equal(out.missing, [[1, 0, 0]] * 2 + [[0, 0, 1]] * 2)
    assert np.isfinite(out.data[~out.missing]).all()


def test_the_vendors_names_and_places_go_along() -> None:
    where = {"source_name": "Tx5", "detector_name": "Rx4b", "position": (0.0, 0.1, 0.0)}
    channels = [
        Channel(
            name=f"x{w}",
            kind=Kind.OPTICAL_DENSITY,
            unit="1",
            source=5,
            detector=4,
            wavelength=w,
            distance=0.03,
            source_name="Tx5",
            detector_name="Rx4b",
            position=(0.0, 0.1, 0.0),
        )
        for w in (760.0, 850.0)
    ]
    hbo = BeerLambert(SignalSpec(tuple(channels), 10.0)).spec_out.channels[0]
    assert {name: getattr(hbo, name) for name in where} == where
    assert (hbo.name, hbo.wavelength, hbo.distance) == ("S5_D4 hbo", None, 0.03)


def test_age_gives_the_published_pathlength() -> None:
    """Scholkmann and Wolf 2013 at 50 years and 690 nm: the polynomial, term by term."""
    expected = 223.3 + 0.05624 * 50**0.8493 + 0.001245 * 690**2 - 0.9025 * 690 - 5.723e-7 * 690**3
    assert pathlength_factor(50, 690) == pytest.approx(expected, rel=1e-12)
    assert pathlength_factor(25, 760) == pytest.approx(6.15, abs=0.01)
    spec = SignalSpec((_density(1, 1, 760.0), _density(1, 1, 850.0)), 10.0)
    chunk = Chunk(spec, np.full((2, 1), 0.1), np.zeros(1), np.zeros((2, 1), dtype=bool))
    by_age = BeerLambert(spec, age=25).process(chunk)
    by_hand = BeerLambert(spec, ppf=[pathlength_factor(25, 760), pathlength_factor(25, 850)]).process(chunk)
    np.testing.assert_array_equal(by_age.data, by_hand.data)


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ([_density(1, 1, 760), _density(1, 1, 850), _density(2, 3, 850)], r"found S2_D3 \(850 nm\)"),
        ([_density(1, 1, 760), _density(1, 1, 760.2)], "two or more different|S1_D1"),
        ([_density(1, 1, 760), _density(1, 1, None)], "wavelength None; expected all three"),
        (
            [_density(1, 1, 760, None), _density(1, 1, 850, None)],
            "S1_D1 has the source-detector distance None",
        ),
        (
            [_density(1, 1, 760, 30.0), _density(1, 1, 850, 30.0)],
            r"is 30 m \(30000 mm\); expected 5 to 80 mm",
        ),
        ([_density(1, 1, 760, 0.003), _density(1, 1, 850, 0.003)], r"is 0.003 m \(3 mm\)"),
    ],
)
def test_what_cannot_be_converted_is_named(channels: list[Channel], message: str) -> None:
    renamed = [
        Channel(**{**c.to_json(), "kind": c.kind, "name": f"{i} {c.name}"}) for i, c in enumerate(channels)
    ]
    with pytest.raises(SignalError, match=message):
        BeerLambert(SignalSpec(tuple(renamed), 10.0))


def test_pathlength_factors_must_fit() -> None:
    spec = SignalSpec((_density(1, 1, 760.0), _density(1, 1, 850.0)), 10.0)
    with pytest.raises(RecipeError, match=r"3 factors; expected one number.*760, 850 nm"):
        BeerLambert(spec, ppf=[6.0, 6.0, 6.0])
    with pytest.raises(RecipeError, match=r"both ppf = 6.0 and age = 7"):
        BeerLambert(spec, ppf=6.0, age=7)
    with pytest.raises(RecipeError, match="ppf = 0; expected a number above 0"):
        BeerLambert(spec, ppf=0)
