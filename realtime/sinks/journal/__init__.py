"""The journal: the complete log and the decisions of a session in one file."""
