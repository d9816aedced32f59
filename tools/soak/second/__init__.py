"""Real time, real streams, known true times, many faults at once: ``python -m tools.soak.second``.

A second fault source beside `tools.faults.device`, which it shares no code with: what the two have in common
would be found by neither.
"""
