"""The commands of hemostream, one a file."""
