"""From recordings and a recipe to labelled windows."""
