"""What may be compared, and what may be put together."""

import numpy as np
import pytest

from models.errors import RecipeError
from offline.scans.groups import as_text, refuse_confounded, site_by_label, together


def test_the_table_counts_every_label_at_every_site(made):
    scans = made(["A", "A", "B", "B", "B"], [0, 1, 0, 0, 0])
    assert site_by_label(scans) == {"A": {"TD": 1, "ASD": 1}, "B": {"TD": 3, "ASD": 0}}
    assert as_text(site_by_label(scans)).splitlines()[0].split() == ["site", "TD", "ASD"]
    assert as_text(site_by_label(scans)).splitlines()[2].split() == ["B", "3", "0"]
    refuse_confounded(scans)  # A holds both


def test_where_no_site_holds_both_the_column_is_named(made):
    scans = made(["A", "A", "B", "B"], [0, 0, 1, 1], labels=("ADHD", "ASD"))
    with pytest.raises(RecipeError, match=r"confounded column is 'site'(.|\n)*A +2 +0\nB +0 +2") as error:
        refuse_confounded(scans)
    assert "ADHD against ASD" in str(error.value)


def test_every_pair_of_labels_must_meet_somewhere(made):
    """Both disorders have controls at their own sites; they are still not comparable with each other."""
    scans = made(["A", "A", "B", "B"], [0, 1, 0, 2], labels=("TD", "ASD", "ADHD"))
    with pytest.raises(RecipeError, match="ASD against ADHD cannot be compared here"):
        refuse_confounded(scans)
    refuse_confounded(made(["A", "A", "A"], [0, 1, 2], labels=("TD", "ASD", "ADHD")))


def test_sex_can_stand_for_the_label_too(made):
    scans = made(["A"] * 4, [0, 0, 1, 1])
    refuse_confounded(scans, "sex")  # all are boys: it tells nothing apart
    scans.sex[:2] = "F"
    with pytest.raises(RecipeError, match="confounded column is 'sex'"):
        refuse_confounded(scans, "sex")
    with pytest.raises(RecipeError, match="no column 'height'"):
        refuse_confounded(scans, "height")


def test_one_label_alone_is_no_comparison(made):
    with pytest.raises(RecipeError, match="All 2 people are ASD"):
        refuse_confounded(made(["A", "B"], [1, 1]))


def test_two_sources_as_one(made):
    first = made(["A", "A"], [0, 1], scores={"s": np.array([1.0, 2.0])}, remarks=("r",))
    second = made(["B", "B"], [0, 1], labels=("TD", "ADHD"), start=2, remarks=("r",))
    both = together(first, second)
    assert both.labels == ("TD", "ASD", "ADHD")
    assert both.y.tolist() == [0, 1, 0, 2]
    assert both.X.shape == (4, 3)
    assert both.scores["s"] == pytest.approx([1, 2, np.nan, np.nan], nan_ok=True)
    assert both.remarks == ("r",)
    with pytest.raises(RecipeError, match="ASD against ADHD"):
        refuse_confounded(both)


def test_series_of_other_lengths_are_filled_up(made):
    first = made(["A"], [0], X=np.ones((1, 3, 5), dtype=np.float32))
    second = made(["A"], [1], X=np.ones((1, 3, 8), dtype=np.float32), start=1)
    both = together(first, second)
    assert both.n_times.tolist() == [5, 8]
    assert both.X.dtype == np.float32


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"derivative": "filtered"}, "'made up' and 'filtered'"),
        ({"X": np.ones((1, 4))}, "3 and of 4 columns"),
        ({"X": np.ones((1, 3, 9), dtype=np.float32)}, "nor do series and tables"),
        ({"start": 0}, "1 people are in both, 'p0' for one"),
    ],
)
def test_what_does_not_mix(made, more, said):
    with pytest.raises(RecipeError, match=said):
        together(made(["A"], [0]), made(["A"], [1], **{"start": 1, **more}))


def test_a_scan_or_a_person_in_both_is_refused_however_it_is_called(made):
    X = np.random.default_rng(0).normal(size=(2, 12))
    first = made(["A", "A"], [0, 1], X=X)
    with pytest.raises(RecipeError, match="1 scans are in both, that of 'p1' and 'p2'"):
        together(first, made(["B"], [1], X=X[1:], start=2))
    theirs = made(["B"], [1], X=X[1:] ** 2, start=1)
    theirs.table.person[:] = "P1"
    with pytest.raises(RecipeError, match="1 people are in both, 'p1'"):
        together(first, theirs)
