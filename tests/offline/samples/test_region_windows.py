"""Windows of region series by the shipped recipe: what of a volume may be lost."""

from dataclasses import replace

import numpy as np

from models.arrays import Floats
from offline.samples.recipe import load_recipe
from tests.realtime.support import bold_spec, fast_plan, feed, opened_core


def test_live_windows_of_region_series_bear_a_lone_cell_and_name_what_they_do_not() -> None:
    """As whole scans: a lone cell is bridged, a scrubbed volume is a gap, an absent region is coverage."""
    spec = bold_spec(3)
    recipe = load_recipe("bold")
    plan = replace(
        fast_plan(spec, length_s=recipe.window.length_s, step_s=recipe.window.step_s, policy=recipe.policy),
        pipeline=tuple(dict(each) for each in recipe.pipeline),
    )
    rng = np.random.default_rng(0)
    whole = 1000.0 + rng.normal(size=(3, 160))

    def reasons(data: Floats) -> set[tuple[str, ...]]:
        core = opened_core(plan, spec)
        windows = feed(core, np.arange(160) * 2.0, data)
        return {tuple(map(str, each.reasons)) for each in windows if each.start > 120.0}

    assert reasons(whole) == {()}
    lone, scrubbed, absent = whole.copy(), whole.copy(), whole.copy()
    lone[1, 100] = np.nan
    assert reasons(lone) == {()}
    scrubbed[:, 100] = np.nan
    assert ("gap",) in reasons(scrubbed)
    absent[2] = np.nan
    assert all("coverage" in each for each in reasons(absent))
