"""Structural images: read, checked, brought to one orientation and spacing, and kept."""
