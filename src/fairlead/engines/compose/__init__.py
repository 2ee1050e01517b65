"""Docker Compose on hosts reached over SSH."""
