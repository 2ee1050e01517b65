"""Where a command runs: over SSH, or on a recorder; and how many hosts at once."""
