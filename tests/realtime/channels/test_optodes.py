"""Optodes keep their own numbers where all have one, and are the same however their names are written."""

import pytest

from realtime.channels.optodes import Optode, midpoint, number_optodes, optode_of, standard_name
from realtime.signal import Kind


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["S7_CCP3h", "S2", "S7_CCP3h"], [7, 2]),
        (["Tx12", "Tx3"], [12, 3]),
        (["D2", "D1"], [2, 1]),
        (["S1", "Fp1x"], [1, 2]),  # both are 1: counted
        (["S1", "left"], [1, 2]),
        (["S0", "S1"], [1, 2]),  # ours begin with 1
        (["S12345"], [1]),
        ([], []),
    ],
)
def test_own_numbers_are_kept_where_all_have_one_and_no_two_share_it(
    names: list[str], numbers: list[int]
) -> None:
    assert list(number_optodes(names).values()) == numbers
    assert list(number_optodes(names)) == list(dict.fromkeys(names))


@pytest.mark.parametrize("name", ["S3", "s03", "Src 3", "Tx3", "3", "source_3", " ３ "])
def test_one_source_has_many_spellings(name: str) -> None:
    assert optode_of(name, 9) == Optode("3")


def test_a_number_counts_only_where_there_is_no_name() -> None:
    assert optode_of("", 4) == optode_of(None, 4) == Optode("4")
    assert optode_of(" ", None) is None
    assert optode_of("left", 4) == Optode("left")
    assert optode_of("S4b", None) == Optode("4b")


def test_a_name_may_say_less_than_the_other() -> None:
    known = optode_of("S3_FCC3h", None)
    assert known == Optode("3", "fcc3h")
    assert known.agrees(Optode("3"))
    assert Optode("3").agrees(known)
    assert known.agrees(known)
    assert not known.agrees(Optode("3", "fcc4h"))
    assert not known.agrees(Optode("4", "fcc3h"))


def test_a_midpoint_is_the_mean_of_both_ends() -> None:
    assert midpoint((0.1, -0.2, 0.3), (0.3, 0.4, 0.1)) == pytest.approx((0.2, 0.1, 0.2))
    assert midpoint(None, (0.0, 0.0, 0.0)) is midpoint((0.0, 0.0, 0.0), None) is None


def test_mne_names_light_by_its_wavelength_and_chromophores_by_their_kind() -> None:
    assert standard_name(1, 2, Kind.INTENSITY, 760.0) == "S1_D2 760"
    assert standard_name(1, 2, Kind.HBO, None) == "S1_D2 hbo"
