"""What is found out about a tree or an image before it goes anywhere: lint, tests, scans, gates."""
