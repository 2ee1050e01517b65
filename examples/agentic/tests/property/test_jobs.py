import json
from collections.abc import Iterator

import pytest
import redis
from agentic import store
from agentic.migrate import MIGRATIONS, migrate
from agentic.settings import Settings
from agentic.worker import Worker
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HERE = Settings("", "planted-in-a-test", "Hello", "v0.0.1", None, "", "here")


@pytest.fixture(scope="module")
def state(redis_url: str) -> Iterator["redis.Redis[str]"]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connected:
        yield connected


@settings(deadline=None, max_examples=40, database=None)
@given(names=st.lists(NAMES, max_size=8))
def test_every_job_is_done_once_and_in_order(state: "redis.Redis[str]", names: list[str]) -> None:
    state.flushall()
    for name in names:
        state.lpush(store.JOBS, json.dumps({"name": name, "seconds": 0}))

    worker = Worker(HERE, state)
    for _ in names:
        worker.work_once()

    done = [json.loads(job) for job in state.lrange(store.DONE, 0, -1)]
    assert [job["name"] for job in done] == names
    assert {job["instance"] for job in done} <= {"here"}
    assert state.llen(store.JOBS) == 0


@settings(deadline=None, max_examples=20, database=None)
@given(applied=st.integers(0, len(MIGRATIONS)), counted=st.integers(0, 10**6))
def test_migrating_twice_is_migrating_once(
    state: "redis.Redis[str]", applied: int, counted: int
) -> None:
    state.flushall()
    state.set(store.SCHEMA, applied)
    state.set(store.COUNTER, counted)

    assert migrate(state) == len(MIGRATIONS) - applied
    assert migrate(state) == 0
    assert state.get(store.COUNTER) == str(counted)


def test_a_poll_without_a_job_does_nothing(state: "redis.Redis[str]") -> None:
    state.flushall()
    Worker(HERE, state).work_once()
    assert state.llen(store.DONE) == 0
