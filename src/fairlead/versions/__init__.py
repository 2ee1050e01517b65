"""Versions of a project: which comes next, what is new in it, and where that is told."""
