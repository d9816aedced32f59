"""Scans: one a person, as region series or as features that somebody else made of them."""

from offline.scans.base import Scans

__all__ = ["Scans"]
