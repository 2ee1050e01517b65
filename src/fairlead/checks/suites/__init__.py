"""The test suites of a repository: what they are, how they run, what came of them."""
