"""The core, a pure function: from the ordered log to windows, and from their logits to decisions."""

from realtime.core.core import Core
from realtime.plan import Plan

__all__ = ["Core", "Plan"]
