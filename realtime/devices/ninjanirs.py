"""ninjaNIRS (ninjaGUI): measurement list, auxiliaries and stimulus marks in one undescribed stream.

Facts, from the public source and wiki of ninjaGUI (github.com/BUNPC/ninjaGUI, read in 2026); not
verified against a device:

- one stream ``ninjaNIRS`` of type ``fNIRS``, float32, at the device's nominal rate, without a
  description; its source id is a constant of an example program, the same for every device;
- its rows are the fNIRS channels in the order of the measurement list (the probe file), then the
  auxiliaries in the order of their number, then one row that marks manual stimuli;
- samples are pushed in chunks without stamps, as many as the acquisition had read: all stamps but the
  last one of a chunk are deduced by LSL from the nominal rate.

Not found: the unit of the light, how the rows of several states (on and dark) are distinguished in later
firmware, what the auxiliaries are.  So the side file must name the rows; the last one is never a
channel.
"""

from xml.etree import ElementTree as ET

from realtime.devices.recognition import (
    Recognition,
    Unlike,
    channels_of,
    rows_of,
    text_of,
    undescribed,
)

NAME = "ninjanirs"
TITLE = "ninjaNIRS"


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Know ninjaGUI's stream by its name, which users cannot change.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    if text_of(info, "name").lower() != "ninjanirs":
        return Unlike(NAME, "expected the name ninjaNIRS")
    if channels_of(info):
        return Unlike(NAME, "it describes its channels, which ninjaGUI does not")
    count = rows_of(info)
    return Recognition(
        NAME,
        f"it has the fixed name of ninjaGUI's stream and describes none of its {count} rows",
        None,
        f"{undescribed(info)} First comes the measurement list, in its own order, then the auxiliaries, "
        "then one "
        f"row of stimulus marks (row {count - 1}).",
        ("inside a chunk the stamps are deduced from the nominal rate; only a chunk's last one is measured",),
    )
