"""Linters: an adapter each, and which of them a tree calls for."""
