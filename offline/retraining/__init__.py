"""A bundle trained further: from whom it may learn, on whom it is compared, when it replaces the old one.

Some people are locked at the first training: no bundle that descends from it ever learns from them, and a
candidate is compared with the bundle it came from on them alone.  Every such look is counted, for who looks
often enough finds a candidate that does well by luck.
"""
