"""The clock gives what it gave, of sources of every family."""

import json

import pytest

from tests.realtime.clock.known import KNOWN, found, sources

KEPT = json.loads(KNOWN.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "source", "arrivals"), [pytest.param(*one, id=one[0]) for one in sources()])
def test_the_clock_gives_what_it_gave(name, source, arrivals) -> None:  # type: ignore[no-untyped-def]
    kept, now = KEPT[name], found(source, arrivals)
    for figure in ("error", "claim", "rate", "jitter"):
        assert now.pop(figure) == pytest.approx(kept.pop(figure), rel=1e-6, abs=1e-6)
    assert now == kept
