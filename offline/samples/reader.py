"""The recordings of a cohort, read as the recipe says, and most of them only once."""

from collections.abc import Sequence

import numpy as np

from models.cards.window_card import RecordingOptions
from offline.base.cohort import Cohort, CohortRow
from offline.base.progress import Tell
from offline.base.remarks import Remark, remarks_of
from offline.recordings import read_recording
from offline.samples.fingerprints import Fingerprint, fingerprint_of_recording
from offline.samples.recipe_sections import Input
from realtime.signal import SignalSpec
from realtime.sources.recording import Recording

KEPT_BYTES = 512 * 2**20
"""Recordings are read once to see their channels; so much of them stays in memory for the replay."""
LEAST_MEASURED = 0.5
"""A channel of which any recording measured less is left out for the whole cohort."""


class CohortReader:
    """Reads the recordings of a cohort, keeping the first ones so that they are not read twice."""

    def __init__(
        self, cohort: Cohort, wanted: Input, rows: Sequence[CohortRow], names: Sequence[str]
    ) -> None:
        self._rows = rows
        self._names = names
        self._layout = None if wanted.layout is None else cohort.path.parent / wanted.layout
        self._options = wanted.model_dump(include={*RecordingOptions.model_fields, "allow_damaged"})
        self._kept: dict[int, Recording] = {}
        self.fingerprints: list[Fingerprint] = []

    def specs(self, tell: Tell) -> tuple[list[tuple[str, SignalSpec]], list[Remark]]:
        """Name and channels of every recording, what its reader remarked, and what was hardly measured.

        Every window needs every channel, so one that is hardly measured would cost all of them.
        """
        found: list[tuple[str, SignalSpec]] = []
        remarks: list[Remark] = []
        size = 0
        for i, name in enumerate(self._names):
            tell("read", i, len(self._names), name)
            recording = self._read(i)
            remarks += remarks_of(recording, name, self._rows[i].recording)
            self.fingerprints.append(fingerprint_of_recording(recording).sketch())
            measured = 1.0 - recording.missing.mean(axis=1) if recording.missing.size else np.ones(0)
            found.append((name, recording.spec.pick(np.flatnonzero(measured >= LEAST_MEASURED).tolist())))
            if dead := [recording.spec.names[k] for k in np.flatnonzero(measured < LEAST_MEASURED)]:
                words = f"hardly measured {len(dead)} channels: {', '.join(dead[:8])}"
                remarks.append(Remark(words, name))
            size += recording.data.nbytes + recording.missing.nbytes
            if size <= KEPT_BYTES:
                self._kept[i] = recording
        tell("read", len(self._names), len(self._names), "")
        return found, remarks

    def read(self, i: int) -> Recording:
        """A recording, once more or for the last time."""
        kept = self._kept.pop(i, None)
        return self._read(i) if kept is None else kept

    def _read(self, i: int) -> Recording:
        return read_recording(self._rows[i].recording, layout=self._layout, **self._options)
