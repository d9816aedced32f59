"""Windows lie on the session's grid and hold their own columns and no others; each grid index comes once."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import RecipeError
from realtime.pipeline import Piece
from realtime.quality.policy import Reason
from realtime.signal import Chunk
from realtime.windows import Window, Windows, check_window, whole_number
from tests.realtime.support import bold_spec

RATE = 10.0
ANCHOR = 100.0
SPEC = bold_spec(2, RATE)
SHAPES = [(1.0, 0.5), (1.0, 1.0), (1.0, 0.1), (1.0, 1.5), (0.3, 4.0), (0.1, 0.1)]
"""Length and step, s: overlapping, touching, with space between, and a step longer than the buffer."""


def values(columns: np.ndarray) -> np.ndarray:
    """What stands in a grid column, so that it is known again."""
    return np.stack([columns + 1.0, -(columns + 1.0)])


def piece(
    first: int,
    n: int,
    *,
    missing: np.ndarray | None = None,
    anchor: float = ANCHOR,
    started: float = ANCHOR,
    warm_from: float = ANCHOR,
    after_gap: bool = False,
) -> Piece:
    columns = np.arange(first, first + n)
    lacking = np.zeros((2, n), dtype=bool) if missing is None else missing
    data = np.where(lacking, np.nan, values(columns))
    chunk = Chunk(SPEC, data, anchor + columns / RATE, lacking)
    return Piece(chunk, anchor, started, warm_from, after_gap)


def cut(length_s: float = 1.0, step_s: float = 0.5) -> Windows:
    return Windows(SPEC, length_s=length_s, step_s=step_s)


def test_the_next_window_is_known_once_the_grid_is() -> None:
    windows = cut()
    assert (windows.next_start, windows.next_end) == (None, None)
    assert windows.process(piece(0, 0)) == []
    assert windows.next_start is None
    windows.process(piece(0, 9))
    assert (windows.next_start, windows.next_end) == (100.0, 101.0)
    assert len(windows.process(piece(9, 1))) == 1  # the column that completes it, and no later one
    assert (windows.next_start, windows.next_end) == (100.5, 101.5)


@pytest.mark.parametrize(("length_s", "step_s"), SHAPES[:4])
def test_of_a_long_piece_only_what_a_window_to_come_may_hold_is_kept(length_s: float, step_s: float) -> None:
    windows = cut(length_s, step_s)
    windows.process(piece(0, 7))
    windows.process(piece(7, 5000))
    held = windows.state()["data"]
    assert held.shape[1] <= 5 * round(max(length_s, step_s) * RATE)
    assert np.array_equal(held[0], np.arange(5008 - held.shape[1], 5008))


def test_what_is_not_looked_at_yet_claims_nothing() -> None:
    (window,) = cut().process(piece(0, 10))
    assert (window.time_uncertainty_s, window.novelty, window.left_out, window.quality) == (0.0, None, {}, {})


def test_a_window_once_given_stays_as_it_was() -> None:
    windows = cut()
    (first,) = windows.process(piece(0, 10))
    assert first.data is not None
    before = first.data.copy()
    windows.process(piece(10, 200))
    assert np.array_equal(first.data, before)


def test_a_restart_anchors_the_grid_anew_and_numbers_go_on() -> None:
    windows = cut()
    assert [w.sequence for w in windows.process(piece(0, 20))] == [0, 1, 2]
    windows.restart()
    assert windows.next_start is None
    again = windows.process(piece(0, 15, anchor=7.0))
    assert [(w.sequence, w.start) for w in again] == [(3, 7.0), (4, 7.5)]
    assert again[0].data is not None
    assert np.array_equal(again[0].data, values(np.arange(10)))
    # Windows that stand for many count for as many; a restart without any window counts none.
    (_, gap, *_) = windows.process(piece(75, 1, anchor=7.0))
    assert (gap.sequence, gap.count, gap.channels) == (6, 11, None)
    windows.restart()
    windows.restart()
    assert [w.sequence for w in windows.process(piece(0, 10))] == [17]


def test_half_a_column_of_clock_noise_moves_no_column() -> None:
    windows = cut()
    windows.process(piece(0, 5))
    late = piece(5, 5, anchor=ANCHOR)
    noisy = Piece(
        Chunk(SPEC, late.chunk.data, late.chunk.times + 0.049, late.chunk.missing), ANCHOR, 0.0, 0.0, False
    )
    (window,) = windows.process(noisy)
    assert window.fitness.coverage == 1.0


@pytest.mark.parametrize(
    ("warm_from", "warming"), [(100.024, 0), (100.026, 1), (100.524, 1), (100.526, 2), (99.0, 0), (200.0, 3)]
)
def test_what_begins_before_the_warm_up_is_over_is_not_judged(warm_from: float, warming: int) -> None:
    given = cut().process(piece(0, 20, warm_from=warm_from))
    assert [w.reasons for w in given] == [(Reason.WARMING_UP,)] * warming + [()] * (3 - warming)


def test_behind_a_gap_only_what_really_lacks_something_warms_up() -> None:
    """Columns 20 to 29 are lost; what the stages learnt before is kept, so whole windows are judged."""
    windows = cut()
    windows.process(piece(0, 20))
    behind = piece(30, 30, started=103.0, warm_from=104.0, after_gap=True)
    given = {w.start: w.reasons for w in windows.process(behind)}
    assert given[101.5] == ()  # it lacks half, which is for others to say; nothing of the new start is in it
    assert given[102.0] == (Reason.COVERAGE, Reason.GAP)
    assert given[102.5] == (Reason.WARMING_UP,)
    assert given[103.0] == given[103.5] == given[104.0] == ()  # whole, though before the end of the warm-up


@pytest.mark.parametrize(
    ("started", "warm_from", "why"),
    [
        (100.9, 104.0, (Reason.WARMING_UP,)),
        (101.0, 104.0, ()),  # it ends where the new start is: nothing of that is in it
        (100.9, 100.0, ()),  # warm when it begins
        (100.9, 100.1, (Reason.WARMING_UP,)),
    ],
)
def test_a_window_with_a_hole_warms_up_only_behind_a_start_that_lies_in_it(
    started: float, warm_from: float, why: tuple[Reason, ...]
) -> None:
    hole = np.zeros((2, 10), dtype=bool)
    hole[0, 3] = True
    behind = piece(0, 10, missing=hole, started=started, warm_from=warm_from, after_gap=True)
    (window,) = cut().process(behind)
    assert window.reasons == why
    assert window.usable == (not why)


@pytest.mark.parametrize(
    ("value", "rate", "samples"), [(7.0, 10.0, 70), (0.1, 10.0, 1), (1.0 + 9e-8, 10.0, 10), (2.0, 0.5, 1)]
)
def test_a_duration_is_a_whole_number_of_samples(value: float, rate: float, samples: int) -> None:
    assert whole_number(value, "The step", rate) == samples


@pytest.mark.parametrize(
    ("value", "rate", "shown"),
    [(7.05, 10.0, "70.5 samples"), (1.0 + 2e-7, 10.0, "10 samples"), (0.0, 10.0, "0 samples"),
     (1.0 + 1.3e-7, 10.0, "10 samples"), (1e-8, 10.0, "1e-07 samples"), (-1.0, 10.0, "-10 samples")],
)  # fmt: skip
def test_a_duration_that_is_no_whole_number_of_samples_is_shown(
    value: float, rate: float, shown: str
) -> None:
    with pytest.raises(RecipeError, match=rf"The step is {value} s, which is {shown} at 10 Hz"):
        whole_number(value, "The step", rate)


def test_length_and_step_are_named_where_they_do_not_fit() -> None:
    with pytest.raises(RecipeError, match=r"The window's length is 0\.25 s"):
        cut(0.25, 0.5)
    with pytest.raises(RecipeError, match=r"The window's step is 0\.25 s"):
        cut(0.5, 0.25)


def test_no_window_is_longer_than_anybody_lies_still() -> None:
    check_window(3600.0, 3600.0, 1.0)
    for value in (3600.5, 0.0, -1.0):
        for what, shape in (("length", (value, 0.5)), ("step", (0.5, value))):
            with pytest.raises(
                RecipeError, match=rf"{what} is {value} s; expected more than 0, at most 3600"
            ):
                check_window(*shape, 1.0)


def test_windows_that_no_memory_holds_are_refused() -> None:
    """Four are held at once, of 5 bytes a sample; 256 MiB are the most."""
    spec = bold_spec(4, 1000.0)
    most = 2**28 / (20 * 1000 * 4)
    check_window(int(most), 1.0, 1000.0, 4)
    with pytest.raises(RecipeError, match=rf"Windows of {int(most) + 1} s at 1000 Hz would take 256 MiB"):
        Windows(spec, length_s=int(most) + 1, step_s=1.0)
    check_window(most - 1.0, 1.0, 4000.0)  # of one channel, where nobody says how many
    with pytest.raises(RecipeError, match="would take 256 MiB"):
        check_window(most + 1.0, 1.0, 4000.0)


def test_the_memory_that_was_asked_about_is_what_is_taken() -> None:
    spec = bold_spec(4, 1000.0)
    tracemalloc.start()
    try:
        windows = Windows(spec, length_s=50.0, step_s=1.0)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert windows.length == 50_000
    assert taken == pytest.approx(20 * 50_000 * 4, rel=0.01)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[tuple[int, np.ndarray]], tuple[float, float]]:
    """Pieces (first column, what is missing of them) with gaps between, and a shape of windows."""
    found, at = [], 0
    for _ in range(draw(st.integers(1, 8))):
        n = draw(st.integers(1, 45))
        lacking = np.array(draw(st.lists(st.booleans(), min_size=2 * n, max_size=2 * n))).reshape(2, n)
        found.append((at, lacking & draw(st.booleans())))
        at += n + draw(st.sampled_from([0, 0, 0, 1, 3, 9, 10, 11, 26, 95]))
    return found, draw(st.sampled_from(SHAPES))


@given(streams())
def test_a_window_holds_the_columns_of_its_time_and_every_grid_index_comes_once(
    stream: tuple[list[tuple[int, np.ndarray]], tuple[float, float]],
) -> None:
    pieces, (length_s, step_s) = stream
    windows = cut(length_s, step_s)
    length, step = round(length_s * RATE), round(step_s * RATE)
    end = pieces[-1][0] + pieces[-1][1].shape[1]
    there = np.zeros((2, end), dtype=bool)
    in_a_gap: set[int] = set()
    given: list[Window] = []
    head = 0
    for first, lacking in pieces:
        inside = [k for k in range(end) if k * step >= head and k * step + length <= first]
        n_before = len(given)
        given += windows.process(piece(first, lacking.shape[1], missing=lacking))
        there[:, first : first + lacking.shape[1]] = ~lacking
        whole = [(one.sequence, one.count) for one in given[n_before:] if one.channels is None]
        assert whole == ([(inside[0], len(inside))] if inside else [])
        in_a_gap.update(inside)
        head = first + lacking.shape[1]
    indices = [k for one in given for k in range(one.sequence, one.sequence + one.count)]
    assert indices == [k for k in range(end) if k * step + length <= head]
    for one in given:
        assert one.start == pytest.approx(ANCHOR + one.sequence * step_s)
        assert one.end == pytest.approx(ANCHOR + (one.sequence + one.count - 1) * step_s + length_s)
        if one.channels is None:
            assert one.data is None
            assert one.reasons == (Reason.COVERAGE, Reason.GAP)
            assert one.fitness.coverage == one.fitness.worst == 0.0
            assert one.fitness.largest_gap_s == pytest.approx(length_s)
            continue
        assert one.count == 1
        assert one.sequence not in in_a_gap
        columns = np.arange(one.sequence * step, one.sequence * step + length)
        measured = there[:, columns]
        assert one.fitness.coverage == pytest.approx(measured.mean())
        assert one.channels.coverage == pytest.approx(measured.mean(axis=1))
        assert one.reasons == ()
        if not measured.any():
            assert one.data is None
        else:
            assert one.data is not None
            assert one.data.dtype == np.float32
            assert np.array_equal(one.data, np.where(measured, values(columns), 0.0))


@given(streams(), st.integers(0, 7))
def test_a_cutter_that_was_restored_goes_on_as_if_nothing_had_been(
    stream: tuple[list[tuple[int, np.ndarray]], tuple[float, float]], at: int
) -> None:
    pieces, shape = stream
    one, other = cut(*shape), cut(*shape)
    one.process(piece(0, 50))
    one.restart()  # so that numbers do not begin at 0
    for first, lacking in pieces[:at]:
        one.process(piece(first, lacking.shape[1], missing=lacking))
    state = one.state()
    other.process(piece(0, 3, anchor=7.0))  # what it had been is over
    other.restore(state)
    assert (one.next_start, one.next_end) == (other.next_start, other.next_end)
    state["data"][:], state["missing"][:] = 9.0, True  # a state is nobody's buffer
    for first, lacking in pieces[at:]:
        both = [w.process(piece(first, lacking.shape[1], missing=lacking)) for w in (one, other)]
        for ours, theirs in zip(*both, strict=True):
            assert (ours.sequence, ours.count, ours.start, ours.end) == (
                theirs.sequence,
                theirs.count,
                theirs.start,
                theirs.end,
            )
            assert ours.fitness == theirs.fitness
            assert (ours.data is None) == (theirs.data is None)
            assert ours.data is None or np.array_equal(ours.data, theirs.data)
        assert (one.next_start, one.next_end) == (other.next_start, other.next_end)
    one.restart()
    other.restart()
    ours, theirs = (w.process(piece(0, 60)) for w in (one, other))
    assert [w.sequence for w in ours] == [w.sequence for w in theirs]
