"""fMRI volumes: what one is, how it moved, what its regions hold."""
