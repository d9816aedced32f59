"""Every fault of an export, played through with a clock of our own: no wrong volume, each said within two
TR."""

from pathlib import Path

import numpy as np
import pytest

from realtime.sources.scanner.intake import Intake, SeriesBegan, name_shape, natural
from realtime.sources.scanner.remarks import ScannerFault, ScannerRemark
from realtime.sources.scanner.series import OrderedVolume
from tests.realtime.sources.scanner.files import SERIES, stored, volumes
from tools.emulators.scanner.export import in_time
from tools.emulators.scanner.faults import ExportPiece, export_fault, plan
from tools.emulators.scanner.formats import FORMATS

N = 9
TR = SERIES.tr
FORMS = ("mosaic", "enhanced", "slices", "nifti-gz")


class Played:
    """What came of an export: volumes, series and remarks with the times (s) at which they left."""

    def __init__(self, folder: Path, pieces: list[ExportPiece], *, joined: bool = False) -> None:
        self.volumes: list[OrderedVolume] = []
        self.remarks: list[ScannerRemark] = []
        self.series: list[str] = []
        intake = Intake(joined=joined)
        times = [*np.arange(0, pieces[-1].due + 5 * TR, 0.05).tolist()]
        for now in times:
            while pieces and pieces[0].due <= now:
                piece = pieces.pop(0)
                (folder / piece.name).write_bytes(piece.content)
                intake.take(folder / piece.name, now)
            for happening in intake.due(now):
                match happening:
                    case OrderedVolume():
                        self.volumes.append(happening)
                    case SeriesBegan():
                        self.series.append(happening.order.series)
                    case _:
                        self.remarks.append(happening)

    @property
    def numbers(self) -> list[int]:
        return [one.image.number for one in self.volumes]

    def fault(self, fault: ScannerFault) -> ScannerRemark:
        """The one remark of its kind."""
        (found,) = [remark for remark in self.remarks if remark.fault is fault]
        return found


def played(folder: Path, form: str, *faults: str) -> Played:
    pieces = plan(volumes(N), SERIES, FORMATS[form], [export_fault(text) for text in faults])
    return Played(folder, list(in_time(pieces)))


def check_values(found: Played, form: str, numbers: list[int] | None = None) -> None:
    for one, number in zip(found.volumes, numbers or found.numbers, strict=True):
        np.testing.assert_array_equal(one.image.data, stored(volumes(N)[number - 1], form))


@pytest.mark.parametrize("form", FORMS)
def test_every_volume_once_and_in_order(tmp_path: Path, form: str) -> None:
    found = played(tmp_path, form)
    assert found.numbers == list(range(1, N + 1))
    assert found.remarks == []
    assert len(found.series) == 1
    check_values(found, form)


FAULTS: list[tuple[str, list[int], ScannerFault | None, int]] = [
    ("missing:at=5", [5], ScannerFault.MISSING, 5),
    ("truncated:at=1", [], None, 1),
    ("swap:at=5", [], None, 5),
    ("slow:at=5,by=0.7", [], None, 5),
    ("twice:at=5", [], ScannerFault.DUPLICATE, 6),
    ("jitter:by=1.4", [], None, 0),
    ("clock:at=5,by=3600", [], None, 0),
    ("foreign:at=5", [], ScannerFault.FOREIGN, 5),
    ("series:at=5", [], ScannerFault.OTHER_SERIES, 5),
]
SLICES_TOO = ("missing", "twice")
"""Faults that are played with single slices as well; these take the same way."""


@pytest.mark.parametrize(
    ("form", "faults", "lost", "fault", "at"),
    [(form, *row) for form in FORMS for row in FAULTS if form != "slices" or row[0].startswith(SLICES_TOO)],
)
def test_a_fault_is_said_within_two_tr_and_costs_what_it_must(
    tmp_path: Path, form: str, faults: str, lost: list[int], fault: ScannerFault | None, at: int
) -> None:
    found = played(tmp_path, form, faults)
    assert found.numbers == [n for n in range(1, N + 1) if n not in lost]
    check_values(found, form)
    if fault is not None:
        said = [remark for remark in found.remarks if remark.fault is fault]
        assert said
        # A volume of slices is late by one TR at the start; nothing of this export is later.
        assert said[0].local - (at - 1) * TR <= 2 * TR + 0.1


@pytest.mark.parametrize("form", ["mosaic", "enhanced", "nifti-gz"])
def test_a_file_that_is_never_whole_is_named_and_no_volume(tmp_path: Path, form: str) -> None:
    found = played(tmp_path, form, "cut:at=5")
    assert found.numbers == [n for n in range(1, N + 1) if n != 5]
    remark = found.fault(ScannerFault.UNFINISHED)
    assert "000005" in remark.text
    assert remark.local <= 4 * TR + 2 * TR
    assert found.fault(ScannerFault.MISSING)


def test_another_volume_under_the_same_number_is_left_out(tmp_path: Path) -> None:
    found = played(tmp_path, "mosaic", "other:at=5")
    assert found.numbers == list(range(1, N + 1))
    check_values(found, "mosaic")
    assert "other_" in found.fault(ScannerFault.CONFLICT).text


def test_a_volume_that_comes_when_its_turn_is_over_is_left_out(tmp_path: Path) -> None:
    found = played(tmp_path, "mosaic", "late:at=5,by=6")
    assert found.numbers == [n for n in range(1, N + 1) if n != 5]
    assert "volume 5" in found.fault(ScannerFault.LATE).text
    assert "Volume 5" in found.fault(ScannerFault.MISSING).text


@pytest.mark.parametrize("form", ["mosaic", "enhanced", "nifti-gz"])
def test_another_matrix_in_mid_run_is_refused_and_the_run_goes_on(tmp_path: Path, form: str) -> None:
    found = played(tmp_path, form, "matrix:at=5")
    assert found.numbers == [n for n in range(1, N + 1) if n != 5]
    check_values(found, form)
    remark = found.fault(ScannerFault.OTHER_GRID)
    assert "10 x 8 x 7" in remark.text
    assert remark.local <= 4 * TR + 2 * TR


def test_a_scanner_that_is_started_again_is_a_new_series(tmp_path: Path) -> None:
    found = played(tmp_path, "mosaic", "restart:at=7,by=8")
    assert found.numbers == [*range(1, 7), *range(1, N - 5)]
    check_values(found, "mosaic", list(range(1, N + 1)))
    assert len(set(found.series)) == 2
    assert found.fault(ScannerFault.NEW_SERIES)


def test_a_second_series_waits_until_the_first_is_over_and_does_not_delay_it(tmp_path: Path) -> None:
    found = played(tmp_path, "mosaic", "series:at=3")
    first = [one for one in found.volumes if one.image.series == SERIES.uid]
    assert [one.image.number for one in first] == list(range(1, N + 1))
    assert all(one.arrived - (one.image.number - 1) * TR < 0.1 for one in first)


def test_a_file_is_not_taken_twice_when_it_is_told_twice(tmp_path: Path) -> None:
    pieces = [piece for piece in plan(volumes(2), SERIES, FORMATS["mosaic"], []) for _ in range(2)]
    found = Played(tmp_path, pieces)
    assert found.numbers == [1, 2]
    assert {remark.fault for remark in found.remarks} == {ScannerFault.DUPLICATE}


def test_only_series_that_are_asked_for(tmp_path: Path) -> None:
    (name, content) = ("a.dcm", FORMATS["mosaic"].write(SERIES, volumes(2)[0])[0])
    (tmp_path / name).write_bytes(content)
    for wanted, taken in (("run one", True), ("localizer", False)):
        intake = Intake(series=wanted)
        intake.take(tmp_path / name, 0.0)
        happened = list(intake.due(0.0))
        assert any(isinstance(one, OrderedVolume) for one in happened) == taken
        assert any(isinstance(one, ScannerRemark) for one in happened) != taken


def test_a_repetition_time_is_given_where_files_have_none(tmp_path: Path) -> None:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(np.ones((3, 3, 3), np.float32), np.eye(4)), tmp_path / "v_1.nii")
    intake = Intake(tr=2.5)
    intake.take(tmp_path / "v_1.nii", 0.0)
    assert [one.image.tr for one in intake.due(0.0) if isinstance(one, OrderedVolume)] == [2.5]


def test_names_in_the_order_that_people_mean() -> None:
    names = ["v10.nii", "v2.nii", "v1.nii"]
    assert [path.name for path in sorted(map(Path, names), key=natural)] == ["v1.nii", "v2.nii", "v10.nii"]
    assert name_shape(Path("001_000007_000012.dcm")) == "001_000007_#.dcm"
    assert name_shape(Path("run-2_0012.nii.gz")) == "run-2_#.nii.gz"
