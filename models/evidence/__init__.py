"""How windows add up to evidence, and what a classifier was worth on people whom it had not seen."""
