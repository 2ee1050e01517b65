"""A function with too many ways through it."""


def tangled(a: int, b: int, c: int) -> int:  # planted for radon: complexity
    """Twelve decisions."""
    if a:
        if b:
            return 1
        if c:
            return 2
    elif b and c:
        return 3
    for one in range(a):
        if one == b or one == c:
            return 4
        while one > b:
            one -= 1
            if one and c:
                return 5
    return 6 if a and b else 7
