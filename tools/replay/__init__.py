"""A recording as live LSL streams: `tools.replay.outlet.Replay`."""
