"""What people run: the ``hemostream`` command and what stands behind it."""
