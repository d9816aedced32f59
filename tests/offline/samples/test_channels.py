"""Which channels a cohort is trained on."""

import pytest

from models.errors import RecipeError
from offline.samples.channels import choose_channels
from realtime.signal import SignalSpec
from realtime.stages.beer_lambert import BeerLambert
from realtime.stages.haemoglobin import TAKEN
from realtime.stages.optical_density import OpticalDensity
from tests.offline.support import task_recipe
from tests.realtime.support import intensity_spec

WHOLE = intensity_spec(3)
RECIPE = task_recipe()


def test_a_pair_that_one_recording_has_only_half_is_left_out_whole() -> None:
    half = WHOLE.pick([0, 1, 2, 4, 5])  # the second pair without its longer wavelength
    for specs in ([("one", WHOLE), ("two", half)], [("one", half), ("two", WHOLE)]):
        spec, remarks = choose_channels(specs, RECIPE.input, RECIPE.kinds)
        assert [channel.pair for channel in spec.channels] == [(1, 1), (1, 1), (3, 3), (3, 3)]
        assert any("their pair lacks a wavelength" in remark for remark in remarks)


def test_channels_stand_in_the_first_recordings_order_wherever_others_have_them() -> None:
    turned = WHOLE.pick([5, 4, 3, 2, 1, 0])
    spec, remarks = choose_channels([("one", turned), ("two", WHOLE)], RECIPE.input, RECIPE.kinds)
    assert spec.names == turned.names
    assert remarks == []


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(RecipeError, match="No channel is left that all 2 recordings share"):
        choose_channels(
            [("one", WHOLE.pick([0, 1])), ("two", WHOLE.pick([2, 3]))],
            task_recipe().input,
            task_recipe().kinds,
        )


def test_of_several_forms_the_one_nearest_to_what_was_measured() -> None:
    blood = BeerLambert(OpticalDensity(WHOLE).spec_out).spec_out
    both = SignalSpec((*blood.channels, *WHOLE.channels), WHOLE.rate)
    for spec, expected in ((both, WHOLE), (blood, blood)):
        chosen, _ = choose_channels([("one", spec)], RECIPE.input, TAKEN)
        assert chosen.names == expected.names
