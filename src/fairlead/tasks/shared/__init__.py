"""What several tasks share, or would be too long with: what they work on, and what came of it."""
