"""F401."""

import os  # planted for ruff: imported, and never used
