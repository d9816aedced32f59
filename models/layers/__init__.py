"""Array code that predicts: the fitted steps of a scan model, from a table to logits, with numpy alone."""

from models.layers.base import Layer, run

__all__ = ["Layer", "run"]
