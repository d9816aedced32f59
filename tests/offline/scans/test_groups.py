"""What may be compared."""

import pytest

from models.errors import RecipeError
from offline.scans.groups import as_text, refuse_confounded, site_by_label


def test_the_table_counts_every_label_at_every_site(made):
    scans = made(["A", "A", "B", "B", "B"], [0, 1, 0, 0, 0])
    assert site_by_label(scans) == {"A": {"TD": 1, "ASD": 1}, "B": {"TD": 3, "ASD": 0}}
    assert as_text(site_by_label(scans)).splitlines()[0].split() == ["site", "TD", "ASD"]
    assert as_text(site_by_label(scans)).splitlines()[2].split() == ["B", "3", "0"]
    refuse_confounded(scans)  # A holds both


def test_where_no_site_holds_both_the_sites_are_shown(made):
    scans = made(["A", "A", "B", "B"], [0, 0, 1, 1], labels=("ADHD", "ASD"))
    with pytest.raises(RecipeError, match=r"no site holds both(.|\n)*A +2 +0\nB +0 +2") as error:
        refuse_confounded(scans)
    assert "ADHD against ASD" in str(error.value)


def test_every_pair_of_labels_must_meet_somewhere(made):
    """Both disorders have controls at their own sites; they are still not comparable with each other."""
    scans = made(["A", "A", "B", "B"], [0, 1, 0, 2], labels=("TD", "ASD", "ADHD"))
    with pytest.raises(RecipeError, match="ASD against ADHD cannot be compared here"):
        refuse_confounded(scans)
    refuse_confounded(made(["A", "A", "A"], [0, 1, 2], labels=("TD", "ASD", "ADHD")))


def test_one_label_alone_is_no_comparison(made):
    with pytest.raises(RecipeError, match="All 2 people are ASD"):
        refuse_confounded(made(["A", "B"], [1, 1]))
