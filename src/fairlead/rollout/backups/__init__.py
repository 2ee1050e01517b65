"""Backups: taken, verified, restored, pruned, copied."""
