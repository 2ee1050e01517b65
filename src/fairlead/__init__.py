"""Fairlead: a change from a laptop to production and back, with one set of commands."""

__version__ = "0.1.0"
