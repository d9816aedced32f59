"""A recipe proposed from a cohort's recordings: `hemostream init`."""
