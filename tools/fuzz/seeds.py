"""Small whole inputs of every kind, made here, so that no real data is needed to damage them.

An input is a folder's worth of files by name; most have one.  They are small because the damage of a
few bytes should meet what is read, and because ten thousand of them are.
"""

import gzip
import io
import sqlite3
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import h5py
import numpy as np
from scipy.io import savemat

from offline.recordings.snirf_writer import write_snirf
from realtime.channels.lsl_description import describe
from realtime.log import ClockMeasured, Entry, EventReceived, Origin, Received, SessionStarted, StreamOpened
from realtime.signal import Channel, Kind, SignalSpec
from realtime.sinks.journal.format import APPLICATION_ID, TABLES, VERSION, encode
from realtime.sources.recording import Event, Recording

Input = Mapping[str, bytes]
"""File names and contents."""
SAMPLES = 40


def spec() -> SignalSpec:
    """Two sources, one detector, two wavelengths."""
    return SignalSpec(
        tuple(
            Channel(
                name=f"S{source}_D1 {nm}",
                kind=Kind.INTENSITY,
                unit="V",
                source=source,
                detector=1,
                source_name=f"S{source}_FCC3h",
                wavelength=float(nm),
                distance=0.03,
                position=((source - 1) * 0.06 - 0.015 * (2 * source - 3), 0.0, 0.0),
                source_position=((source - 1) * 0.06, 0.0, 0.0),
                detector_position=(0.03, 0.0, 0.0),
            )
            for nm in (760, 850)
            for source in (1, 2)
        ),
        10.0,
    )


def _data(columns: int) -> Any:
    return 1 + np.sin(np.arange(SAMPLES * columns)).reshape(SAMPLES, columns) ** 2


def recording() -> Recording:
    """Four seconds of it, with two events and a date."""
    data = np.ascontiguousarray(_data(4).T)
    events = (Event(1.0, "tap", 2.0), Event(2.5, "rest"))
    times = np.arange(SAMPLES) / 10
    return Recording("seed", spec(), data, times, data < 0, events, 1.7e9, {"remarks": ["made"]})


def snirf() -> list[Input]:
    """One as we write it, one as others do (fixed texts, packed, start and step, stimuli), one compact."""
    with tempfile.TemporaryDirectory() as folder:
        ours = write_snirf(recording(), Path(folder) / "x.snirf").read_bytes()
    theirs = io.BytesIO()
    with h5py.File(theirs, "w") as file:
        file["formatVersion"] = np.bytes_("1.1")
        nirs = file.create_group("nirs1")
        nirs["metaDataTags/LengthUnit"] = np.array([b"cm"])
        nirs["metaDataTags/TimeUnit"] = "ms"
        nirs["metaDataTags/MeasurementDate"] = "2026-01-02"
        nirs["metaDataTags/MeasurementTime"] = "03:04:05Z"
        block = nirs.create_group("data1")
        block.create_dataset("dataTimeSeries", data=_data(4).astype("f4"), chunks=(10, 4), compression=4)
        block["time"] = [0.0, 100.0]
        block["dataOffset"] = np.ones(4)
        for number, (source, index) in enumerate([(1, 1), (2, 1), (1, 2), (2, 2)], start=1):
            group = block.create_group(f"measurementList{number}")
            group["sourceIndex"], group["detectorIndex"] = np.int32(source), np.int64(1)
            group["wavelengthIndex"], group["dataType"] = np.array([index], dtype=np.int32), 1
        nirs["probe/wavelengths"] = [690.0, 830.0]
        nirs["probe/sourcePos2D"], nirs["probe/detectorPos2D"] = [[0.0, 0], [6, 0]], [[3.0, 0]]
        nirs["probe/sourceLabels"] = np.array([b"Rx1", b"Rx2"])
        nirs["stim1/name"], nirs["stim1/data"] = "tap", [[1000.0, 500, 1], [2000, 500, 1]]
        nirs["stim2/name"], nirs["stim2/data"] = "rest", 0.0
    compact = io.BytesIO(theirs.getvalue())
    with h5py.File(compact, "r+") as file:
        block = file["nirs1/data1"]
        for number in range(1, 5):
            del block[f"measurementList{number}"]
        lists = block.create_group("measurementLists")
        lists["sourceIndex"], lists["detectorIndex"] = [1, 2, 1, 2], np.ones(4, dtype=np.int32)
        lists["wavelengthIndex"], lists["dataType"], lists["dataTypeIndex"] = [1, 1, 2, 2], [1] * 4, [0] * 4
        lists["dataUnit"] = ["V", "V", "V", "V"]
    return [{"x.snirf": each} for each in (ours, theirs.getvalue(), compact.getvalue())]


def homer_variables() -> dict[str, Any]:
    """The variables of a Homer file."""
    onsets = np.zeros((SAMPLES, 2))
    onsets[[4, 5, 12], 0], onsets[8, 1], onsets[9, 1] = 1, 1, -1
    probe = {
        "Lambda": [690.0, 830.0],
        "SrcPos": [[0.0, 0, 0], [60, 0, 0]],
        "DetPos": [[30.0, 0, 0]],
        "MeasList": [[1, 1, 1, 1], [2, 1, 1, 1], [1, 1, 1, 2], [2, 1, 1, 2]],
        "SpatialUnit": "mm",
    }
    return {
        "d": _data(4),
        "t": np.arange(SAMPLES)[:, None] * 0.2,
        "s": onsets,
        "SD": probe,
        "aux": np.zeros((SAMPLES, 2)),
        "CondNames": np.array(["tap", "rest"], dtype=object),
    }


def mat(variables: Mapping[str, Any], *, compressed: bool) -> bytes:
    """A MATLAB 5 file of these variables, the same bytes each time."""
    out = io.BytesIO()
    savemat(cast(Any, out), dict(variables), do_compression=compressed)
    return b"MATLAB 5.0 MAT-file".ljust(116) + out.getvalue()[116:]  # without the date


def homer() -> list[Input]:
    """Compressed, as MATLAB writes it, and not; and the head of a MATLAB 7.3 file."""
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    plain, packed = (mat(homer_variables(), compressed=c) for c in (False, True))
    return [{"x.nirs": plain}, {"x.nirs": plain}, {"x.nirs": packed}, {"x.nirs": head + bytes(400)}]


_NIRX_HEADER = """[GeneralInfo]
FileName="x"
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


def nirx() -> list[Input]:
    """A folder as NIRStar 15 lays it out."""
    probes = {
        "index_c": np.array([[1, 1], [2, 1]]),
        "coords_s3": np.array([[5.0, 5, 5], [5, -1, 5]]),
        "coords_d3": np.array([[5.0, 2, 5]]),
        "coords_c3": np.array([[5.0, 3.5, 5], [5, 0.5, 5]]),
    }
    texts = {
        "x.hdr": _NIRX_HEADER,
        "x.inf": '[Subject Demographics]\nName="A"\nAge=30\nGender="Female"\n',
        "x.set": "0\n",
        "x.tpl": "0\n",
        "x.dat": "0\n",
        "x_config.txt": "\n",
        "x.evt": "5\t1\t0\t0\t0\t0\t0\t0\t0\n20\t0\t1\t0\t0\t0\t0\t0\t0\n",
        "x.wl1": "".join(f"{i + 1} {i + 101}\n" for i in range(SAMPLES)),
        "x.wl2": "".join(f"{i + 201} {'NaN' if i == 7 else i + 301}\n" for i in range(SAMPLES)),
    }
    files = {name: text.encode() for name, text in texts.items()}
    return [
        {**files, "x_probeInfo.mat": mat({"probeInfo": {"probes": probes}}, compressed=compressed)}
        for compressed in (True, False)
    ]


def _varied(length: int) -> bytes:
    return b"\x01" + bytes([length]) if length < 256 else b"\x04" + struct.pack("<I", length)


def xdf_chunk(tag: int, content: bytes) -> bytes:
    """A chunk of an XDF file."""
    return _varied(len(content) + 2) + struct.pack("<H", tag) + content


def xdf() -> list[Input]:
    """A described stream, an undescribed one, two of markers, boundaries and offsets; plain and packed."""
    header = b"<info><version>1.0</version><datetime>2026-01-02T03:04:05+0100</datetime></info>"
    boundary = xdf_chunk(5, bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4"))
    out = [b"XDF:", xdf_chunk(1, header)]
    for number, (name, kind, form, count, rate, desc) in enumerate(
        (
            ("bed", "NIRS", "double64", 4, "10", describe(spec(), Origin())),
            ("aux", "Motion", "int16", 2, "0", ET.Element("desc")),
            ("markers", "Markers", "string", 1, "0", ET.Element("desc")),
            ("again", "Markers", "string", 1, "0", ET.Element("desc")),
        ),
        start=1,
    ):
        info = ET.Element("info")
        for tag, text in zip(
            ("name", "type", "channel_count", "nominal_srate", "channel_format"),
            (name, kind, str(count), rate, form),
            strict=True,
        ):
            ET.SubElement(info, tag).text = text
        info.append(desc)
        sid = struct.pack("<I", number)
        out.append(xdf_chunk(2, sid + ET.tostring(info)))
        out += [xdf_chunk(4, sid + struct.pack("<dd", at, 100.0)) for at in (0.0, 5.0)]
        rows = _data(4)
        for first in range(0, 20, 10):
            samples = []
            for i in range(first, first + 10):
                stamp = b"\x08" + struct.pack("<d", i / 10) if i == first or form != "double64" else b"\x00"
                values = rows[i].tobytes()
                if form == "int16":
                    values = struct.pack("<hh", i, -i)
                elif form == "string":
                    values = b"\x01\x03tap"
                samples.append(stamp + values)
            out.append(xdf_chunk(3, sid + _varied(len(samples)) + b"".join(samples)))
            out.append(boundary)
        out.append(xdf_chunk(6, sid + b"<info><sample_count>20</sample_count></info>"))
    whole = b"".join(out)
    return [*[{"x.xdf": whole}] * 4, {"x.xdf.gz": gzip.compress(whole, mtime=0)}]


def series() -> list[Input]:
    """Tables with and without names, by spaces, tabs and commas, and their side files."""
    rows = np.round(_data(3)[:12], 4).tolist()
    side = {"x.json": b'{"RepetitionTime": 2.0, "TaskName": "rest"}'}

    def table(separator: str, first: str) -> bytes:
        return (first + "\n".join(separator.join(map(str, row)) for row in rows) + "\n").encode()

    return [
        {"x.1D": table(" ", "") + b"# comment\n", **side},
        {"x.1D": table("\t", "#a\t#b\t#c\n"), **side},
        {"x.tsv": table("\t", "a\tb\tc\n"), **side},
        {"x.csv": table(",", '"a",b,c\n'), **side},
    ]


def journal() -> list[Input]:
    """A journal of one run: start, stream, clock, samples, events, a decision and a loss."""
    settings = {"policy": {}, "window": {"length_s": 7.0}}
    entries: list[Entry] = [
        SessionStarted(0.0, "bed-1", 1, "0" * 64, settings),
        StreamOpened(0.1, spec(), Origin(), "bed", "id", "<info/>", (0, 1, 2, 3)),
        ClockMeasured(0.2, 0.5, 1.7e9),
        *(Received(1.0 + i, i + np.arange(10) / 10, _data(4)[:10].T.astype("f4").copy()) for i in range(3)),
        EventReceived(2.5, 2.0, "tap"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.hemostream"
        connection = sqlite3.connect(path)
        connection.executescript(f"PRAGMA page_size=1024; VACUUM; {TABLES}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("INSERT INTO runs VALUES (1, 1, 'bed-1')")
        for number, entry in enumerate(entries, start=1):
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (number, *encode(entry)))
        connection.execute("INSERT INTO decisions VALUES (20, 1, 0, '{}')")
        connection.execute("INSERT INTO lost VALUES (21, 3, 2.0, 2.5)")
        connection.commit()
        connection.close()
        return [{"x.hemostream": path.read_bytes()}]
