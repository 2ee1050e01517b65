"""The worker: takes jobs from Redis one at a time, and records who finished them."""

import json
import signal
import time
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError

from agentic import settings, store

POLL_SECONDS = 1  # how long an idle worker may take to notice that it should stop


class Worker:
    """Works until told to stop, and never leaves a job half done."""

    def __init__(self, here: settings.Settings, redis: Redis) -> None:
        self.here = here
        self.redis = redis
        self.stopping = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Finishes the job in hand, then ends; a signal handler."""
        print(f"worker: {signal.Signals(number).name}, finishing", flush=True)
        self.stopping = True

    def run(self) -> None:
        """Takes jobs until told to stop; waits where Redis does not answer."""
        print(f"worker: ready, version {self.here.version}", flush=True)
        while not self.stopping:
            try:
                self.work_once()
            except RedisError as error:
                print(f"worker: Redis does not answer: {error}", flush=True)
                time.sleep(POLL_SECONDS)
        print("worker: stopped", flush=True)

    def work_once(self) -> None:
        """Takes one job, if there is one within a poll, and does it."""
        taken = self.redis.brpop([store.JOBS], timeout=POLL_SECONDS)
        if taken is None:
            return
        job = json.loads(taken[1])
        time.sleep(job["seconds"])
        done = job | {"instance": self.here.instance, "version": self.here.version}
        self.redis.rpush(store.DONE, json.dumps(done))


def main() -> None:
    """Works until SIGTERM or SIGINT, then exits 0."""
    here = settings.load()
    worker = Worker(here, Redis.from_url(here.redis_url, decode_responses=True))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    worker.run()


if __name__ == "__main__":
    main()
