"""NIRx folders through MNE, on a folder laid out as NIRStar 15 lays it out.

The folder is made here: no recording of a real device is at hand, so what real NIRStar and Aurora
versions add to it is tested by MNE only.
"""

import numpy as np
import pytest
from scipy.io import savemat

from models.errors import RecordingError
from offline.recordings import read_recording

HEADER = """[GeneralInfo]
FileName="NIRS-2026-01-02_001"
Date="Fri, Jan 2, 2026"
Time="03:04:05.250"
Device="NIRScout 16x16"
Source="LED"
NIRStar="15.2"

[ImagingParameters]
Sources=2
Detectors=1
Wavelengths="760	850"
SamplingRate=12.500000

[DataStructure]
S-D-Key="1-1:1,2-1:2,"
S-D-Mask="#
1
1
#"
"""
INFO = '[Subject Demographics]\nName="Anna Example"\nAge=30\nGender="Female"\n'


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "session"
    root.mkdir()
    stem = root / "NIRS-2026-01-02_001"
    stem.with_suffix(".hdr").write_text(HEADER)
    stem.with_suffix(".inf").write_text(INFO)
    for suffix in (".set", ".tpl", ".dat"):
        stem.with_suffix(suffix).write_text("0\n")
    (root / "NIRS-2026-01-02_001_config.txt").write_text("\n")
    stem.with_suffix(".evt").write_text("25\t1\t0\t0\t0\t0\t0\t0\t0\n50\t0\t1\t0\t0\t0\t0\t0\t0\n")
    stem.with_suffix(".wl1").write_text("".join(f"{i + 1} {i + 101}\n" for i in range(100)))
    stem.with_suffix(".wl2").write_text(
        "".join(f"{i + 201} {'NaN' if i == 7 else i + 301}\n" for i in range(100))
    )
    probes = {
        "index_c": np.array([[1, 1], [2, 1]]),
        "coords_s3": np.array([[5.0, 5, 5], [5, -1, 5]]),  # cm, as NIRSite has it
        "coords_d3": np.array([[5.0, 2, 5]]),
        "coords_c3": np.array([[5.0, 3.5, 5], [5, 0.5, 5]]),
    }
    savemat(root / "NIRS-2026-01-02_001_probeInfo.mat", {"probeInfo": {"probes": probes}})
    return root


def check(recording):
    assert recording.spec.names == ("S1_D1 760", "S1_D1 850", "S2_D1 760", "S2_D1 850")
    assert recording.spec.rate == 12.5
    assert [channel.distance for channel in recording.spec.channels] == pytest.approx([0.03] * 4)
    np.testing.assert_array_equal(recording.data[0], np.arange(1.0, 101))
    np.testing.assert_array_equal(recording.data[1], np.arange(201.0, 301))
    np.testing.assert_array_equal(recording.times, np.arange(100) / 12.5)
    assert np.argwhere(recording.missing).tolist() == [[3, 7]]
    reported = [(event.onset, event.label, event.duration) for event in recording.events]
    assert reported == [(2, "1", 0), (4, "2", 0)], "a .evt file holds no durations; MNE makes up 1 s"
    assert recording.start_utc is None, "the header's wall clock has no zone"
    assert recording.notes["start_local"] == "2026-01-02T03:04:05.250000"
    assert any("no time zone" in remark for remark in recording.notes["remarks"])
    assert recording.name == "session"


def test_a_folder_and_its_header_are_the_same(folder):
    check(read_recording(folder))
    check(read_recording(next(folder.glob("*.hdr"))))


def test_positions_that_cannot_be_true(folder):
    probe = next(folder.glob("*_probeInfo.mat"))
    near = {"index_c": np.array([[1, 1], [2, 1]]), "coords_d3": np.array([[5.0, 5.3, 5]])}
    near |= {"coords_s3": np.array([[5.0, 5, 5], [5, 5, 5]]), "coords_c3": np.zeros((2, 3))}
    savemat(probe, {"probeInfo": {"probes": near}})
    with pytest.raises(RecordingError, match=r"that is 3 mm; expected 5 to 80 mm\.$"):
        read_recording(folder)


def test_a_wavelength_that_is_cut_off_is_reported_and_refused_where_much_is_lost(folder):
    path = next(folder.glob("*.wl1"))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:95]))
    recording = read_recording(folder)
    assert len(recording.times) == 95
    assert any(f"{path.name} has 95 samples" in remark for remark in recording.remarks)
    path.write_text("".join(lines[:60]))
    with pytest.raises(RecordingError, match=r"40% of what.*has 60 samples.*it is cut off, and 60 were read"):
        read_recording(folder)
    assert len(read_recording(folder, allow_damaged=True).times) == 60


def test_a_second_wavelength_that_is_cut_off_is_named(folder):
    path = next(folder.glob("*.wl2"))
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:95]))
    with pytest.raises(RecordingError, match=r"cannot be read.*wl2 has 95 samples, .*wl1 100: it is cut off"):
        read_recording(folder)


@pytest.mark.parametrize("suffix", [".inf", ".set", ".tpl", ".wl1", "_probeInfo.mat"])
def test_a_file_that_is_absent(folder, suffix):
    next(folder.glob(f"*{suffix}")).unlink()
    with pytest.raises(RecordingError, match="cannot be read as a NIRx recording"):
        read_recording(folder)


def test_an_absent_dat_file_is_remarked(folder):
    next(folder.glob("*.dat")).unlink()
    recording = read_recording(folder)
    check(recording)
    assert "dat" in recording.notes["remarks"][0]


@pytest.mark.parametrize("date", ["vie, 2 ene 2026", "pt., 2 sty 2026", "пт, 2 янв 2026", "2026年1月2日(金)"])
def test_a_date_that_is_not_understood_is_not_known(folder, date):
    header = next(folder.glob("*.hdr"))
    header.write_text(HEADER.replace("Fri, Jan 2, 2026", date), encoding="utf-8")
    recording = read_recording(folder)
    assert recording.start_utc is None
    assert not any("2000" in remark for remark in recording.notes["remarks"])
    assert "UTC is not known" in recording.notes["remarks"][0]


def test_events_outside_the_recording_and_at_its_end(folder):
    next(folder.glob("*.evt")).write_text("95\t1\t0\t0\t0\t0\t0\t0\t0\n5000\t1\t0\t0\t0\t0\t0\t0\t0\n")
    recording = read_recording(folder)
    assert [(event.onset, event.duration) for event in recording.events] == [(7.6, 0.0)]
    assert "1 events lie outside the recording; ignored" in recording.notes["remarks"]


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".hdr", ""),
        (".hdr", "[GeneralInfo]\n"),
        (".hdr", HEADER.replace("15.2", "9")),
        (".hdr", HEADER.replace("12.500000", "often")),
        (".hdr", HEADER[: len(HEADER) // 2]),
        (".inf", ""),
        (".wl1", ""),
        (".wl1", "1 101\n2\n"),
        (".wl2", "1 101\n"),
        (".evt", "25\n"),
        ("_probeInfo.mat", ""),
        ("_probeInfo.mat", "no matlab" * 100),
    ],
)
def test_damaged_files(folder, suffix, content):
    next(folder.glob(f"*{suffix}")).write_text(content)
    with pytest.raises(RecordingError, match="session cannot be read as a NIRx recording"):
        read_recording(folder)


def test_a_folder_of_something_else_lists_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RecordingError, match=r"no \.hdr file.*holds notes.txt"):
        read_recording(tmp_path)
