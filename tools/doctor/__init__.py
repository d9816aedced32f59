"""What `hemostream doctor` looks at."""
