"""Planted for bandit (B602) and semgrep, which tell of one and the same fault."""

import subprocess


def listing(folder: str) -> str:
    return subprocess.run("ls " + folder, shell=True, capture_output=True, text=True).stdout
