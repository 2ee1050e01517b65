"""Imports out of order."""

import sys  # planted for isort: json comes before it
import json

print(sys.argv, json)
