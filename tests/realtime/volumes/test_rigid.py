"""Moves are a group, six numbers hold one, and framewise displacement is Power's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError
from realtime.volumes.rigid import STILL, RigidMove, framewise_displacement_mm

LENGTHS = st.tuples(*[st.floats(-80, 80)] * 3)
ANGLES = st.tuples(st.floats(-3, 3), st.floats(-1.4, 1.4), st.floats(-3, 3))
MOVES = st.builds(RigidMove, LENGTHS, ANGLES)


@given(MOVES)
def test_six_numbers_hold_a_move(move: RigidMove) -> None:
    again = RigidMove.from_matrix(move.matrix)
    np.testing.assert_allclose(again.translation_mm, move.translation_mm, atol=1e-9)
    np.testing.assert_allclose(again.rotation, move.rotation, atol=1e-9)


@given(MOVES)
def test_a_move_keeps_lengths_and_hands(move: RigidMove) -> None:
    turn = move.matrix[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)


@given(MOVES, MOVES)
def test_one_move_after_another_is_the_product_and_can_be_undone(first: RigidMove, then: RigidMove) -> None:
    both = then.after(first)
    np.testing.assert_allclose(both.matrix, then.matrix @ first.matrix, atol=1e-9)
    np.testing.assert_allclose(then.inverse().after(both).matrix, first.matrix, atol=1e-9)
    point = (3.0, -7.0, 40.0)
    np.testing.assert_allclose(both.at_mm(point), then.at_mm(first.at_mm(point)), atol=1e-9)


def test_angles_are_anticlockwise_about_x_then_y_then_z() -> None:
    quarter = np.pi / 2
    for rotation, point, expected in (
        ((quarter, 0, 0), (0, 1, 0), (0, 0, 1)),
        ((0, quarter, 0), (0, 0, 1), (1, 0, 0)),
        ((0, 0, quarter), (1, 0, 0), (0, 1, 0)),
        ((quarter, 0, quarter), (0, 1, 0), (0, 0, 1)),
    ):
        np.testing.assert_allclose(RigidMove(rotation=rotation).at_mm(point), expected, atol=1e-12)


@given(MOVES)
def test_the_numbers_of_spm_are_those_of_the_way_back(move: RigidMove) -> None:
    x, y, z, pitch, roll, yaw = move.spm
    cos, sin = np.cos, np.sin
    about_x = np.array([[1, 0, 0], [0, cos(pitch), sin(pitch)], [0, -sin(pitch), cos(pitch)]])
    about_y = np.array([[cos(roll), 0, sin(roll)], [0, 1, 0], [-sin(roll), 0, cos(roll)]])
    about_z = np.array([[cos(yaw), sin(yaw), 0], [-sin(yaw), cos(yaw), 0], [0, 0, 1]])
    back = np.eye(4)
    back[:3, :3], back[:3, 3] = about_x @ about_y @ about_z, (x, y, z)
    np.testing.assert_allclose(back @ move.matrix, np.eye(4), atol=1e-9)


@given(MOVES, MOVES)
def test_displacement_is_the_same_both_ways(one: RigidMove, other: RigidMove) -> None:
    there = framewise_displacement_mm(one, other)
    assert there == pytest.approx(framewise_displacement_mm(other, one))
    assert there >= 0
    assert framewise_displacement_mm(one, one) == 0


def test_displacement_adds_lengths_and_arcs_on_a_sphere_of_50_mm() -> None:
    now = RigidMove((0.1, -0.2, 0.3), (0.001, -0.002, 0.004))
    assert framewise_displacement_mm(STILL, now) == pytest.approx(0.6 + 50 * 0.007)
    before = RigidMove(rotation=(0, 0, np.pi - 0.01))
    assert framewise_displacement_mm(before, RigidMove(rotation=(0, 0, 0.01 - np.pi))) == pytest.approx(1.0)


@pytest.mark.parametrize("numbers", [(0.0, np.nan, 0.0), (np.inf, 0.0, 0.0), (1.0, 2.0)])
def test_what_is_no_move_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(SignalError, match="expected three finite numbers"):
        RigidMove(numbers)  # type: ignore[arg-type]
