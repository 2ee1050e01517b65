"""Faults for tests; each module holds one."""
