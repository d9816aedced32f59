"""A recording as devices that describe nothing would send it: Cortivision's cap and ninjaNIRS.

What is known of them is in `realtime.devices.cortivision` and `realtime.devices.ninjanirs`.  Both
need a side file, which is made with them.
"""

import numpy as np

from realtime.log import Origin
from realtime.signal import Kind
from realtime.sources.recording import Recording
from tools.emulators.base import EmulatedStream, description, need, sent, side_file_of

CLAIMED_HZ = 7.883715200788371
"""What the one real Photon Cap that was recorded declares, whatever its true rate."""
MOTION_ROWS = 6
AUX_ROWS = 2
NINJA_CHUNK = 4
"""Samples pushed at once: as many as ninjaGUI has read from the serial port.  How many is not published."""


def cortivision(recording: Recording, origin: Origin) -> EmulatedStream:
    """Light, then six rows of motion sensors; no description, and a rate that is not true.

    Parameters
    ----------
    recording : Recording
        Intensities.
    origin : Origin
        Where the samples come from.

    Raises
    ------
    StreamError
        If it holds anything else.
    """
    need(recording, (Kind.INTENSITY,), "A Photon Cap")
    rows = np.vstack([sent(recording), np.zeros((MOTION_ROWS, len(recording.times)))])
    return EmulatedStream(
        "Photon_Cap_C0000000_RAW",
        "NIRS",
        CLAIMED_HZ,
        description(origin),
        rows,
        side=side_file_of(recording.spec, tuple(range(len(recording.spec)))),
        remarks=(f"declares {CLAIMED_HZ:.2f} Hz", "motion sensors are noughts"),
    )


def ninjanirs(recording: Recording, origin: Origin) -> EmulatedStream:
    """The measurement list, two auxiliaries, stimulus marks; in chunks under one stamp.

    Parameters
    ----------
    recording : Recording
        Intensities.
    origin : Origin
        Where the samples come from.

    Raises
    ------
    StreamError
        If it holds anything else.
    """
    need(recording, (Kind.INTENSITY,), "ninjaNIRS")
    marks = np.zeros((1, len(recording.times)))
    for event in recording.events:
        # A key press is marked at the next sample.
        place = int(np.searchsorted(recording.times, event.onset))
        if place < marks.shape[1]:
            marks[0, place] = 1.0
    rows = np.vstack([sent(recording), np.zeros((AUX_ROWS, len(recording.times))), marks])
    return EmulatedStream(
        "ninjaNIRS",
        "fNIRS",
        recording.spec.rate,
        description(origin),
        rows,
        chunk=NINJA_CHUNK,
        side=side_file_of(recording.spec, tuple(range(len(recording.spec)))),
        remarks=(
            f"chunks of {NINJA_CHUNK} samples under one stamp: the others' are made up by LSL",
            "auxiliaries are noughts",
        ),
    )
