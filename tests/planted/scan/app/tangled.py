"""Planted for radon: more ways through a function than anybody follows."""


def grade(a, b, c, d, e, f, g, h, i, j, k):
    if a and b:
        return 1
    if c and d:
        return 2
    if e or f:
        return 3
    if g or h:
        return 4
    if i or j or k:
        return 5
    return 6 if a or c else 7
