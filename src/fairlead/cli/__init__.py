"""What every task has: its flags, its voice, its hosts and files, and its manners when stopped."""
