"""Security scanners: one adapter per file, each from its argv to a Verdict."""
