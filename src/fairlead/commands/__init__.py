"""Phrases: pure functions that return commands. Nothing here runs anything."""
