"""Structures of an image: a network that finds them is trained, evaluated by case, and used."""
