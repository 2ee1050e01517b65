"""What a release runs on."""
