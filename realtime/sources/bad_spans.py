"""Stretches of time that were annotated as bad, by the convention of MNE: events whose label begins BAD.

MNE writes such annotations into SNIRF as stimuli and into BIDS tables as events (``BAD_acq``, ``bad
motion``), and leaves out of its epochs what lies in them. So they are no events of the experiment, and the
signal in them is missing. A label with letters right behind (``badge``, ``badminton``) is an event like any
other, and so is one without a duration: it marks no stretch.
"""

import re
from collections import Counter
from dataclasses import replace

from realtime.sources.recording import Recording

BAD = re.compile(r"BAD(?![A-Za-z])|bad[_ ]", re.ASCII)
"""How a label begins that marks a stretch: a condition may be called ``bad``, as against ``good``."""
_SHOWN = 4


def without_bad_spans(recording: Recording) -> Recording:
    """The recording with what its own annotations mark as bad missing.

    Parameters
    ----------
    recording : Recording
        As read, with its events.

    Returns
    -------
    Recording
        Without those events.  Where they cover the whole recording nothing is obeyed, and a remark says so.
    """
    spans = [event for event in recording.events if event.duration > 0 and BAD.match(event.label)]
    if not spans or not recording.missing.size:
        return recording
    times, missing = recording.times, recording.missing.copy()
    covered = missing[0] & False
    for span in spans:
        covered |= (times >= span.onset) & (times <= span.onset + span.duration)
    counts = Counter(span.label for span in spans)
    names = ", ".join(f"{label!r} ({n})" for label, n in counts.most_common(_SHOWN))
    more = f" and {len(counts) - _SHOWN} more labels" if len(counts) > _SHOWN else ""
    if covered.all():
        remark = f"annotations mark all of the recording as bad ({names}{more}); they were not obeyed"
        return recording.remarked([remark])
    missing[:, covered] = True
    remark = f"annotations mark {covered.mean():.3g} of the time as bad, it is missing: {names}{more}"
    kept = tuple(event for event in recording.events if event not in spans)
    return replace(recording, missing=missing, events=kept).remarked([remark])
