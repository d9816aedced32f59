"""Side files say what the rows of an undescribed stream are."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import SignalError, StreamError
from realtime.channels.layout import StreamLayout
from realtime.channels.montage import read_layout
from realtime.channels.optodes import number_optodes
from realtime.signal import Channel, Kind, SignalSpec

MONTAGE = {
    "SamplingFrequency": 8,
    "SourceDetectorSeparation": {"Long": "3 cm"},
    "ChMontage": [
        {"channel_idx": 3, "source": "S1", "detector": "D1_C1", "wavelength": 850, "type": "Long"},
        {"channel_idx": 1, "source": "S1", "detector": "D1_C1", "wavelength": 760, "type": "Long"},
        {"channel_idx": 2, "source": "S1", "detector": "D1_C1", "kind": "HbO", "unit": "umol/L"},
    ],
}


def written(path, values):
    file = path / "layout.json"
    file.write_text(json.dumps(values))
    return file


def test_the_cortivision_side_file(data_dir):
    layout = read_layout(data_dir / "fnirs/lsl_tapping_xdf/sub-001_task-fingertapping_nirs.json")
    assert layout.rows == tuple(range(36)), "rows 36 to 41 are motion sensors"
    assert layout.scales == ()
    spec = layout.spec
    assert spec.rate == 8.12
    assert spec.names[:2] == ("S1_D1 760", "S1_D1 850")
    assert spec.channels[4].source == 7, "the vendor's own numbers are kept"
    assert spec.channels[4].source_name == "S7_CCP3h"
    assert [channel.distance for channel in spec.channels] == [0.03] * 32 + [0.008] * 4
    assert {channel.kind for channel in spec.channels} == {Kind.INTENSITY}


def test_rows_in_order_and_values_in_si(tmp_path):
    layout = read_layout(written(tmp_path, MONTAGE))
    assert layout.rows == (1, 2, 3)
    assert layout.spec.names == ("S1_D1 760", "S1_D1 hbo", "S1_D1 850")
    assert layout.spec.channels[0].source_name == "S1"
    np.testing.assert_allclose(layout.take(np.full((4, 1), 2, dtype=np.float32)), [[2], [2e-6], [2]])
    assert StreamLayout.from_json(json.loads(json.dumps(layout.to_json()))) == layout
    with pytest.raises(StreamError, match=r"row 3 .* has 3 rows"):
        layout.take(np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ChMontage": []}, "ChMontage"),
        (
            {"ChMontage": [{**MONTAGE["ChMontage"][0], "source": None}]},
            "entry 0 of ChMontage has source None; expected the name of an optode",
        ),
        ({"ChMontage": ["S1"]}, "entry 0"),
        ({"ChMontage": [{"channel_idx": 0, "source": "S1"}]}, "lacks detector"),
        ({"ChMontage": [{"channel_idx": -1, "source": "S1", "detector": "D1"}]}, "channel_idx -1"),
        ({"ChMontage": [{"channel_idx": 0, "source": "S1", "detector": "D1"}]}, "wavelength None"),
        (
            {"ChMontage": [{"channel_idx": 0, "source": "S1", "detector": "D1", "kind": "EEG"}]},
            "kind 'EEG'",
        ),
        (
            {"ChMontage": [{"channel_idx": 0, "source": "S1", "detector": "D1", "kind": "HbO"}]},
            "expected mol/L",
        ),
        (
            {
                "ChMontage": [
                    {"channel_idx": 0, "source": "S1", "detector": "D1", "wavelength": 760, "type": "Shrt"}
                ]
            },
            "type 'Shrt'.* for Long",
        ),
        ({"ChMontage": [MONTAGE["ChMontage"][0]] * 2}, "row 3 twice"),
        ({"SourceDetectorSeparation": {"Long": "30"}}, "'30'"),
        ({"SourceDetectorSeparation": 30}, "lengths by type"),
        ({"SamplingFrequency": "fast"}, "'fast'"),
    ],
)
def test_an_invalid_side_file_is_refused_with_the_value(tmp_path, change, message):
    with pytest.raises(StreamError, match=message):
        read_layout(written(tmp_path, {**MONTAGE, **change}))


def test_no_json_and_no_file(tmp_path):
    (tmp_path / "layout.json").write_text("{")
    with pytest.raises(StreamError, match="no JSON"):
        read_layout(tmp_path / "layout.json")
    (tmp_path / "layout.json").write_bytes(b"\xff\xfe")
    with pytest.raises(StreamError, match="no JSON"):
        read_layout(tmp_path / "layout.json")
    with pytest.raises(StreamError, match="cannot be read"):
        read_layout(tmp_path / "absent.json")


def test_one_row_a_channel():
    spec = SignalSpec((Channel(name="#1", kind=Kind.BOLD, unit="a.u."),), 0.5)
    with pytest.raises(SignalError, match="1 channels, 2 rows"):
        StreamLayout(spec, (0, 1))


@given(st.lists(st.text(min_size=1, max_size=6)))
def test_every_optode_gets_a_number_of_its_own(names):
    numbers = number_optodes(names)
    assert set(numbers) == set(names)
    assert len(set(numbers.values())) == len(numbers)
    assert all(number >= 1 for number in numbers.values())
