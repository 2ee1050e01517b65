"""The names under which the service keeps its state in Redis."""

COUNTER = "agentic:counter"
JOBS = "agentic:jobs"  # a list: new jobs on the left, taken from the right
DONE = "agentic:done"  # a list: finished jobs, oldest first
SCHEMA = "agentic:schema"  # the number of migrations applied
