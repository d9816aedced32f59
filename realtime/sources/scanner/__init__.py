"""From the files that a scanner exports to volumes, each once and in order."""
