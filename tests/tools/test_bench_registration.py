"""The registration bench: its truth is the truth, whoever's numbers it reads."""

import numpy as np
import pytest

from realtime.volumes.rigid import STILL, RigidMove
from tests.realtime.heads import measured_head, oblique
from tools.bench.registration_cases import (
    errors,
    frame_of_spm,
    known_moves,
    moves_of_spm,
    padded,
    smaller_field,
    without_a_slice,
)

RUN = [measured_head(number=1), measured_head(number=2)]


def test_the_numbers_of_spm_are_read_as_they_were_written() -> None:
    move = RigidMove((1.0, -2.0, 0.5), (0.02, -0.03, 0.01))
    grid = oblique()
    frame = frame_of_spm(grid)
    written = frame.after(move).after(frame.inverse()).spm
    (read,) = moves_of_spm(written[None], grid)
    np.testing.assert_allclose(read.matrix, move.matrix, atol=1e-9)


def test_empty_slices_shift_the_frame_by_as_many() -> None:
    grid = oblique()
    (x, y, z), more = (4, 5, 6), padded(RUN[0])
    assert more.data[x, y, z + 3] == RUN[0].data[x, y, z]
    there = grid.affine_mm @ (x, y, z, 1)
    in_spm = more.grid.affine_mm @ (x, y, z + 3, 1)
    np.testing.assert_allclose(frame_of_spm(grid).at_mm(there[:3]), in_spm[:3])


def test_a_known_move_is_where_the_head_goes() -> None:
    case = known_moves(RUN, [STILL, STILL], 2, noise=0.0, drift=0.0, mm=2.0, degrees=2.0)
    for volume, truth in zip(case.volumes, case.truth, strict=True):
        expected = measured_head(truth, grid=smaller_field(oblique()))
        inner = (slice(4, -4), slice(4, -4), slice(None))
        assert np.abs(volume.data - expected.data)[inner].max() < 0.02 * expected.data.max()
    assert (errors(case, list(case.truth)) < 1e-5).all()
    off = errors(case, [None, case.truth[1].after(RigidMove((0.3, 0.0, 0.0)))])
    assert np.isinf(off[0]).all()
    assert off[1, 0] == pytest.approx(0.3, abs=1e-6)


def test_a_slice_is_lost_in_each() -> None:
    case = known_moves(RUN, [STILL, STILL], 1, noise=0.0)
    (spoilt,) = without_a_slice(case).volumes
    assert (np.ptp(spoilt.data, axis=(0, 1)) == 0).sum() == 1
