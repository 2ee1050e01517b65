"""Brings the state in Redis to the shape this version expects; safe to run again."""

import sys

from redis import Redis
from redis.exceptions import RedisError

from agentic import settings, store


def start_counter(redis: Redis) -> None:
    """The counter exists, so that reading it never depends on a first write."""
    redis.setnx(store.COUNTER, 0)


def bound_done_jobs(redis: Redis) -> None:
    """Finished jobs are kept up to a thousand."""
    redis.ltrim(store.DONE, -1000, -1)


MIGRATIONS = (start_counter, bound_done_jobs)


def migrate(redis: Redis) -> int:
    """Applies the migrations not yet recorded and returns how many those were."""
    applied = int(redis.get(store.SCHEMA) or 0)
    for number, migration in enumerate(MIGRATIONS[applied:], applied + 1):
        migration(redis)
        redis.set(store.SCHEMA, number)
        print(f"migrate: {number} {migration.__name__} applied")
    pending = max(0, len(MIGRATIONS) - applied)
    print(f"migrate: schema at {max(applied, len(MIGRATIONS))}, {pending} applied now")
    return pending


def main() -> None:
    """Migrates; exits 1 with a message when it cannot."""
    here = settings.load()
    if here.fault == "migrate":
        sys.exit("migrate: 3 split_jobs failed: key agentic:jobs holds the wrong kind of value")
    try:
        migrate(Redis.from_url(here.redis_url, decode_responses=True, socket_connect_timeout=5))
    except RedisError as error:
        sys.exit(f"migrate: Redis does not answer: {error}")


if __name__ == "__main__":
    main()
