"""Cortivision Photon Cap: light and motion sensors in one stream that describes nothing.

Verified against one real LSL recording of a device (Photon Cap C20, an XDF file with its side file),
and nothing else:

- two streams of type ``NIRS``: ``Photon_Cap_C2022044_RAW`` (42 rows, float32) and
  ``Photon_Cap_C2022044_STATS`` (36 rows, values that hardly change: not a signal);
- 36 rows of light, two wavelengths of a pair next to each other, then 6 rows of motion sensors; which
  optodes they belong to is nowhere in the stream, only in the side file;
- both nominal rates say 7.88 Hz where the samples come at 9.13 Hz;
- source ids are the same words for every cap (``cortivision_raw_stream``).

Names of other models are not known; whatever is called ``Photon_Cap`` or has the ids above is taken.
"""

import re
from xml.etree import ElementTree as ET

from realtime.devices.recognition import (
    Recognition,
    Unlike,
    channels_of,
    rows_of,
    text_of,
    undescribed,
)

NAME = "cortivision"
TITLE = "Cortivision Photon Cap"
RAW_ID, STATS_ID = "cortivision_raw_stream", "cortivision_stats_stream"
_NAME = re.compile(r"photon[ _-]?cap", re.IGNORECASE)


def recognise(info: ET.Element) -> Recognition | Unlike:
    """Know a Photon Cap by its name or source id; its channels must come from a side file.

    Parameters
    ----------
    info : Element
        The stream's ``info``.
    """
    name, source_id = text_of(info, "name"), text_of(info, "source_id")
    if not _NAME.search(name) and source_id not in (RAW_ID, STATS_ID):
        return Unlike(NAME, "expected a name with Photon_Cap")
    if channels_of(info):
        return Unlike(NAME, "it describes its channels, which no Photon Cap we know does")
    why = f"it is called {name!r} and describes none of its {rows_of(info)} rows"
    if companion(info):
        signal = re.sub("_STATS$", "_RAW", name, flags=re.IGNORECASE)
        return Recognition(
            NAME, why, None, f"It is the cap's statistics, not its signal: take {signal!r} instead."
        )
    return Recognition(
        NAME,
        why,
        None,
        undescribed(info),
        ("its nominal rate was 7.88 Hz where 9.13 Hz came: the rate is measured, not believed",),
    )


def companion(info: ET.Element) -> str:
    """What a stream is that comes with the cap's signal under the same type; empty for the signal."""
    is_stats = text_of(info, "source_id") == STATS_ID or text_of(info, "name").upper().endswith("_STATS")
    return "statistics of a Photon Cap" if is_stats else ""
