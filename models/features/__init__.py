"""What is computed of a scan: features of region series, as array code that is fitted to no one."""

from models.features.base import Feature

__all__ = ["Feature"]
