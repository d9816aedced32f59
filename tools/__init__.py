"""What people run: the ``hemostream`` command and what is behind it."""
