"""A blend of models, and how a card describes it."""

import numpy as np
import pytest
import torch

from models.errors import RecipeError
from models.networks.blend import Blend
from models.networks.registry import check_model, make_model
from models.probabilities import probabilities

SIZES = {"n_chans": 4, "n_times": 40, "n_outputs": 3}
MEMBERS = [
    {"kind": "cgrnn", "params": {"hidden": 4}},
    {"kind": "ridge", "params": {}},
    {"kind": "blend", "params": {"members": [{"kind": "lstm", "params": {}}] * 2}},
]


def _drawn() -> Blend:
    made = make_model("blend", {"members": MEMBERS}, **SIZES)
    assert isinstance(made, Blend)
    for each in made.modules():
        if hasattr(each, "reset_parameters"):
            each.reset_parameters()
    return made.eval().requires_grad_(False)


def test_it_gives_the_weighted_mean_of_its_members_log_probabilities() -> None:
    made = _drawn()
    made.share.copy_(torch.tensor([0.5, 0.25, 0.25]))
    x = torch.randn(6, 4, 40, generator=torch.Generator().manual_seed(0))
    logs = [np.log(probabilities(member(x).numpy())) for member in made.members]
    mixed = sum(share * each for share, each in zip((0.5, 0.25, 0.25), logs, strict=True))
    np.testing.assert_allclose(probabilities(made(x).numpy()), probabilities(np.asarray(mixed)), atol=1e-6)


def test_until_it_is_told_otherwise_members_count_the_same() -> None:
    assert _drawn().share.tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({}, "expected 'members' alone"),
        ({"members": []}, "expected 'members' alone"),
        ({"members": [{"kind": "ridge"}]}, "expected its kind and params"),
        ({"members": [{"kind": 3, "params": {}}]}, "expected a name and a table"),
        ({"members": [{"kind": "rigde", "params": {}}]}, "Did you mean 'ridge'"),
        ({"members": [{"kind": "nothing", "params": {}}]}, "Known: best, blend, "),
        ({"members": [{"kind": "lstm", "params": {"hiden": 3}}]}, "Did you mean 'hidden'"),
        (
            {"members": [{"kind": "blend", "params": {"members": [{"kind": "blend", "params": {}}]}}]},
            "holds blends of blends",
        ),
    ],
)
def test_a_description_that_cannot_be_is_refused(params: dict[str, object], wrong: str) -> None:
    with pytest.raises(RecipeError, match=wrong):
        check_model("blend", params)
