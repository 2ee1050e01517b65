"""What moves traffic: the router's configuration as text; the commands are in `commands/`."""
