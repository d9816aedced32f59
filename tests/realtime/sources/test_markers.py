"""What a marker means: the laws that every source of markers keeps, because all go through here."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.sources.markers import SOON_S, Marks, duration_of, label_of

RATE = 10.0
codes = st.integers(-2, 3)
runs = st.lists(st.tuples(codes, st.integers(1, 8)), min_size=1, max_size=12)
DTYPES = st.sampled_from([np.int8, np.int32, np.int64, np.float32, np.float64])


def line_of(held: list[tuple[int, int]]) -> np.ndarray:
    """A line (n_samples, 1) that holds each code for so many samples."""
    return np.concatenate([np.full(length, code) for code, length in held])[:, None]


def expected(line: np.ndarray, first: int = 0) -> list[tuple[float, str]]:
    """Rising edges, spelt out."""
    values = [first, *line[:, 0].tolist()]
    return [
        (i / RATE, str(values[i + 1]))
        for i in range(len(line))
        if values[i + 1] > 0 and values[i + 1] > values[i]
    ]


def times_of(line: np.ndarray) -> np.ndarray:
    return np.arange(len(line)) / RATE


@given(runs, DTYPES)
def test_a_line_says_its_rising_edges_and_nothing_else(held: list[tuple[int, int]], dtype: type) -> None:
    line = np.concatenate([[[0]], line_of(held)])
    assert Marks(RATE).take(line.astype(dtype), times_of(line)) == expected(line)


@given(runs, st.sampled_from([0.0, RATE]), st.data())
def test_samples_one_by_one_say_the_same_as_all_at_once(
    held: list[tuple[int, int]], rate: float, data: st.DataObject
) -> None:
    """A live session sees them so, a reader of files otherwise."""
    line = line_of(held)
    times = times_of(line) * data.draw(st.sampled_from([0.2, 1.0, 5.0, 50.0]))
    whole = Marks(rate)
    message = whole.take(line, times)
    pieces = Marks(rate)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(line) - 1)))))
    heard = []
    for start, stop in zip([0, *cuts], [*cuts, len(line)], strict=True):
        heard += pieces.take(line[start:stop].tolist(), times[start:stop])
    assert heard == message
    assert (pieces.rejected, pieces.up_at_start) == (whole.rejected, whole.up_at_start)


def test_a_line_that_is_up_at_the_start_began_before() -> None:
    line = line_of([(2, 5), (0, 5), (1, 5)])
    marks = Marks(RATE)
    assert marks.take(line, times_of(line)) == [(1.0, "1")]
    assert marks.up_at_start == "2"
    assert Marks(RATE, from_rest=True).take(line, times_of(line)) == [(0.0, "2"), (1.0, "1")]


@given(runs)
def test_a_line_polled_without_a_rate_says_its_edges_after_its_first_word(
    held: list[tuple[int, int]],
) -> None:
    line = np.concatenate([[[0], [0]], line_of([(abs(code), length) for code, length in held])])
    assert Marks(0.0).take(line, times_of(line)) == [(0.0, "0"), *expected(line)]


def test_a_number_without_a_rate_is_sent_anew_only_after_a_while() -> None:
    """A pulse that is reset at once, a value held by polling, and the same code sent twice."""
    apart = SOON_S / 2
    codes = np.array([[5], [0], [7], [7], [7], [7]])
    times = np.array([0.0, apart, 10.0, 10.0 + SOON_S, 10.0 + SOON_S + apart, 20.0])
    assert Marks().take(codes, times) == [(0.0, "5"), (10.0, "7"), (20.0, "7")]
    assert Marks().take([[0], [4]], np.array([0.0, 10.0])) == [(0.0, "0"), (10.0, "4")]


def test_a_line_that_begins_at_rest_was_not_up() -> None:
    for times in ([0.0, 0.1], [0.0, 30.0]):
        marks = Marks(RATE)
        assert marks.take([[0], [1]], np.array(times)) == [(times[1], "1")]
        assert marks.up_at_start == ""


@pytest.mark.parametrize(("apart", "again"), [(0.25, False), (0.2500001, True)])
def test_a_quarter_of_a_second_without_a_rate_is_held(apart: float, again: bool) -> None:
    message = Marks().take([[7], [7]], np.array([1000.0, 1000.0 + apart]))
    assert [label for _, label in message] == ["7"] * (1 + again)


@pytest.mark.parametrize(
    ("rate", "apart", "is_line"),
    [(100.0, 1.0, True), (100.0, 1.01, False), (0.5, 6.0, True), (0.5, 6.01, False), (0.5, 2.0, True)],
)
def test_a_second_or_three_periods_are_the_longest_step_of_a_line(
    rate: float, apart: float, is_line: bool
) -> None:
    marks = Marks(rate)
    message = marks.take([[1], [1], [0], [2]], 1000.0 + apart * np.arange(4))
    assert marks.up_at_start == ("1" if is_line else "")
    assert message == [
        (1000.0 + apart * i, label)
        for i, label in ([(3, "2")] if is_line else [(0, "1"), (1, "1"), (3, "2")])
    ]


@pytest.mark.parametrize("zero", ["0", "0.0", " 0\0", ""])
def test_a_line_of_numbers_written_as_texts_is_the_line(zero: str) -> None:
    rows = [[zero], ["1.0"], ["1"], [zero], ["1"]]
    marks = Marks(RATE)
    assert marks.take(rows, np.arange(5) / RATE) == [(0.1, "1"), (0.4, "1")]
    assert marks.up_at_start == ""
    message = Marks().take([["0"], ["0"]], np.arange(2) / RATE)
    assert [label for _, label in message] == ["0", "0"], "without a rate every text is an event"


def test_what_is_held_over_a_piece_of_several_samples_is_held() -> None:
    marks = Marks()
    assert marks.take([[7], [7]], np.array([0.0, 0.2])) == [(0.0, "7")]
    assert marks.take([[7]], np.array([0.4])) == []


def test_what_was_a_line_in_one_piece_is_one_in_the_next() -> None:
    marks = Marks()
    assert marks.take([[5], [0], [0]], np.array([0.0, 0.1, 0.2])) == [(0.0, "5")]
    assert marks.take([[3]], np.array([0.3])) == [(0.3, "3")]
    assert marks.take([[1]], np.array([0.4])) == [], "it falls"


def test_one_of_two_channels_is_enough_to_be_up_or_rejected() -> None:
    apart = 30.0 * np.arange(3)
    assert Marks(100.0).take([[1, 0], [1, 0], [0, 1]], apart) == [(0.0, "1 0"), (30.0, "1 0"), (60.0, "0 1")]
    alone = Marks()
    assert alone.take([[2, 0], [-1, 0], [0, 2]], apart) == [(0.0, "2 0"), (60.0, "0 2")]
    line = Marks(RATE)
    assert line.take([[0, 0], [0, -1], [0, 0], [2, -1]], np.arange(4) / RATE) == [(0.3, "2 -1")]
    assert (alone.rejected, line.rejected) == (1, 1)


def test_what_differs_in_one_of_two_channels_is_no_repetition_and_a_reset_of_one_makes_no_line() -> None:
    assert Marks().take([[1, 5], [1, 6]], np.array([0.0, 0.1])) == [(0.0, "1 5"), (0.1, "1 6")]
    pulses = [[1, 0], [0, 0], [1, 0], [1, 0]]
    message = Marks().take(pulses, np.array([0.0, 0.1, 10.0, 20.0]))
    assert message == [(0.0, "1 0"), (10.0, "1 0"), (20.0, "1 0")]


def test_a_line_of_texts_that_begins_at_rest_says_its_first_word() -> None:
    assert Marks(RATE).take([[""], ["task"]], np.array([0.0, 0.1])) == [(0.1, "task")]


def test_a_line_of_two_channels_of_which_one_is_up_at_the_start_began_before() -> None:
    marks = Marks(RATE)
    assert marks.take([[0, 4], [0, 4], [0, 0], [5, 0]], np.arange(4) / RATE) == [(0.3, "5 0")]
    assert marks.up_at_start == "0 4"


def test_a_stream_that_claims_a_rate_and_sends_events_loses_none() -> None:
    codes = np.array([[1], [1], [2], [1]])
    message = Marks(100.0).take(codes, np.array([0.0, 30.0, 60.0, 90.0]))
    assert message == [(0.0, "1"), (30.0, "1"), (60.0, "2"), (90.0, "1")]


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(2 * SOON_S, 30)), min_size=1, max_size=20))
def test_every_sample_of_an_irregular_stream_is_an_event(sent: list[tuple[int, float]]) -> None:
    times = np.cumsum([apart for _, apart in sent])
    for to in (lambda code: code, str):
        rows = [[to(code)] for code, _ in sent]
        assert [label for _, label in Marks().take(rows, times)] == [str(code) for code, _ in sent]


def test_texts_come_as_fast_as_they_like_without_a_rate_and_are_held_with_one() -> None:
    rows = [["rest"], ["task"], ["task"], [""], ["task"], ["rest"]]
    times = np.arange(6) / RATE
    assert [label for _, label in Marks().take(rows, times)] == ["rest", "task", "task", "task", "rest"]
    held = Marks(RATE)
    assert held.take(rows, times) == [(0.1, "task"), (0.4, "task"), (0.5, "rest")]
    assert held.up_at_start == "rest"


def test_rejected_onsets_are_left_out_and_counted_once_each() -> None:
    line = line_of([(0, 3), (-1, 20), (0, 3), (1, 3), (0, 3), (-2, 1), (0, 2)])
    for rate in (RATE, 0.0):
        marks = Marks(rate)
        message = [label for _, label in marks.take(line, times_of(line))]
        assert [label for label in message if label != "0"] == ["1"]
        assert marks.rejected == 2
    alone = Marks()
    assert alone.take([[1], [-1], [2]], np.array([0.0, 10.0, 20.0])) == [(0.0, "1"), (20.0, "2")]
    assert alone.rejected == 1


def test_all_values_of_a_sample_make_its_label() -> None:
    assert Marks().take([["trial", "left"], ["trial", ""]], np.array([1.0, 2.0])) == [
        (1.0, "trial left"),
        (2.0, "trial"),
    ]
    line = np.array([[0, 0], [1, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    assert Marks(RATE).take(line, times_of(line)) == [(0.1, "1 0"), (0.3, "1 1")]


def test_what_has_no_time_or_no_value_is_no_event() -> None:
    line = np.array([[0.0], [1.0], [np.nan], [1.0], [0.0], [2.0]])
    times = np.array([0.0, 0.1, 0.2, 0.3, 0.4, np.nan])
    assert Marks(RATE).take(line, times) == [(0.1, "1")]
    assert Marks().take([[np.nan], [3.0]], np.array([0.0, 9.0])) == [(9.0, "3")]
    assert Marks().take([[np.nan, 3.0]], np.array([9.0])) == [(9.0, "3")]
    assert Marks().take([], np.empty(0)) == []
    assert Marks().take([["a"]], np.array([np.nan])) == []


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("LEFT\r\n", "LEFT"),
        ("\ufeff LEFT\0\0", "LEFT"),
        ("go left ", "go left"),
        ("1.0", "1"),
        ("-2.000", "-2"),
        ("1.5.0", "1.5.0"),
        ("v1.0", "v1.0"),
        (" \0\n", ""),
        (1, "1"),
        (np.int16(-3), "-3"),
        (1.0, "1"),
        (np.float32(0.1), "0.1"),
        (float(np.float32(0.1)), "0.1"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (16777216.0, "16777216"),
        (1.7e15, "1700000000000000"),  # microseconds since 1970
        (9999999999999998.0, "9999999999999998"),
        (1e16, "1e+16"),
        (4e38, "4e+38"),
        (np.nan, ""),
        (np.inf, ""),
    ],
)
def test_labels_have_one_form(value: object, label: str) -> None:
    assert label_of([value]) == label


@given(st.lists(st.text(max_size=8) | st.floats() | st.floats(width=32) | st.integers(), max_size=3))
@example([1.7e15])
def test_a_label_is_in_its_form_once_and_for_all(values: list[object]) -> None:
    """A recipe, a replay, and a journal read back give it again."""
    label = label_of(values)
    assert label_of([label]) == label


@pytest.mark.parametrize(
    ("reported", "seconds"), [(2.5, 2.5), (0.5, 0.5), (0.0, 0.0), (-0.5, 0.0), (np.nan, 0.0), (np.inf, 0.0)]
)
def test_a_duration_that_is_none_is_0(reported: float, seconds: float) -> None:
    assert duration_of(reported) == seconds
