"""What a fitted system computes when it predicts, as a chain of parts: plain arrays in, plain arrays out."""

from models.parts.base import Part, SeriesPart, from_arrays, to_arrays

__all__ = ["Part", "SeriesPart", "from_arrays", "to_arrays"]
