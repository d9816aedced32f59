"""The networks, one a file, and their registry."""

RIDGE = "ridge"
"""The model that is solved for, not trained; named here, so that a recipe is checked without torch."""
VIRTUAL_PROBE = "virtual_probe"
"""The network that knows where channels are, and leaves out exactly those that are lost."""
