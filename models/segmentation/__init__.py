"""What predicts which structure each voxel belongs to, and the bundle that keeps it."""
