"""Run by `python -m unittest discover tests` in the service's folder."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import service


class Describes(unittest.TestCase):
    def test_it_says_who_it_is_whoever_else_is_gone(self) -> None:
        said = service.describe()
        assert said["name"] == service.ABOUT["name"]
        assert list(said["calls"]) == service.ABOUT["calls"]
