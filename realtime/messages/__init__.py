"""What a session publishes besides decisions and status, and the commands that it takes."""
