"""Scans: one a person, as region series or as features that somebody else made of them."""

from offline.scans.base import Scans
from offline.scans.reader import layout_of, read_scans

__all__ = ["Scans", "layout_of", "read_scans"]
