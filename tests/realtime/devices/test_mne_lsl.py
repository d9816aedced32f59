"""What MNE-LSL's player sends: MNE's types, powers of ten as units, twelve numbers as a location."""

import numpy as np
import pytest

from models.errors import StreamError
from realtime.devices import layout_of, recognise
from tests.realtime.devices.test_adapters import stream


def channel(label, kind, unit="0", loc=None):
    return {"label": label, "type": kind, "unit": unit, "coil_type": "302"}


@pytest.mark.parametrize(
    ("kind", "label", "power", "unit", "scale"),
    [
        ("fnirs_cw_amplitude", "S1_D1 760", "0", "V", 1.0),
        ("fnirs_cw_amplitude", "S1_D1 760", "-6", "V", 1e-6),
        ("fnirs_od", "S1_D1 760", "0", "1", 1.0),
        ("hbo", "S1_D1 hbo", "0", "mol/L", 1.0),
        ("hbr", "S1_D1 hbr", "-6", "mol/L", 1e-6),
        ("hbo", "S1_D1 hbo", "uM", "mol/L", 1e-6),
    ],
)
def test_types_and_powers_of_ten(kind, label, power, unit, scale):
    info = stream("MNE-LSL-Player", kind, channels=[channel(label, kind, power), channel("STI", "stim")])
    layout = layout_of(info)
    assert layout.device == "mne"
    assert layout.rows == (0,)
    one = layout.spec.channels[0]
    assert (one.name, one.unit, one.source, one.detector) == (label, unit, 1, 1)
    assert one.wavelength == (None if kind.startswith("hb") else 760.0)
    np.testing.assert_allclose(layout.take(np.ones((2, 3))), scale)


def test_what_is_lacking_is_reported():
    with pytest.raises(StreamError, match="no wavelength"):
        layout_of(stream(channels=[channel("left", "fnirs_cw_amplitude")]))
    with pytest.raises(StreamError, match="Unit of hbo"):
        layout_of(stream(channels=[channel("S1_D1 hbo", "hbo", "")]))
    assert "distance is not known" in recognise(stream(channels=[channel("S1_D1 hbo", "hbo")])).lacks
