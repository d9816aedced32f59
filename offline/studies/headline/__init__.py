"""The strong linear model: many kinds of connectivity, fitted so that sites say little, and averaged."""
