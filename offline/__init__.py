"""Learning: recordings and cohorts, training by replay, evaluation by unseen person."""
