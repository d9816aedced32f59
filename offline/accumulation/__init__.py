"""Evidence over time, where the label is the person's: how correlated windows add up, and when to stop.

A trajectory is one person's window log odds in order of time.  `fit` learns from held-out people how such
windows add up, `accumulate` turns them into a running posterior, `curve` reports what that is worth after so
many seconds, and `set_rule` when one may stop and predict a label.
"""

from models.evidence.accumulation import Law, Rule
from offline.accumulation.curves import curve
from offline.accumulation.effective import accumulate, effective_windows
from offline.accumulation.fitting import Fit, fit
from offline.accumulation.simulated import simulate_trajectories
from offline.accumulation.stopping import Passage, Setting, first_passage, set_rule, stopping_figures
from offline.accumulation.trajectories import Trajectory

__all__ = [
    "Fit",
    "Law",
    "Passage",
    "Rule",
    "Setting",
    "Trajectory",
    "accumulate",
    "curve",
    "effective_windows",
    "first_passage",
    "fit",
    "set_rule",
    "simulate_trajectories",
    "stopping_figures",
]
