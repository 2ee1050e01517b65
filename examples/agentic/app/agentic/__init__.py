"""A small service with the parts most have: an API, a worker, a migration, and state in Redis."""
