"""The HTTP API: health, version, a slow answer, a counter and jobs kept in Redis."""

import asyncio
import hashlib
import hmac
import json
import os
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agentic import faults, settings, store

here = settings.load()
redis = Redis.from_url(
    here.redis_url, decode_responses=True, socket_timeout=2, socket_connect_timeout=1
)
app = FastAPI(title="agentic", version=here.version, docs_url=None, redoc_url=None)


async def redis_state() -> str:
    """`ok`, or why Redis does not answer."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        return str(error) or type(error).__name__
    return "ok"


@app.exception_handler(RedisError)
async def without_redis(request: Request, error: RedisError) -> Response:
    """Any request that needs Redis while it does not answer."""
    return JSONResponse({"error": "Redis does not answer", "reason": str(error)}, 503)


@app.get("/health")
async def health() -> Response:
    """200 while this instance can do its work, which takes Redis."""
    if here.fault == "unhealthy":
        return JSONResponse({"status": "fault", "reason": "rehearsed"}, 503)
    if here.fault == "redirect":
        return RedirectResponse("/healthz/", 301)
    state = await redis_state()
    if state != "ok":
        return JSONResponse({"status": "unavailable", "redis": state}, 503)
    return JSONResponse({"status": "ok"})


@app.get("/api/v1/health")
async def health_in_detail() -> Response:
    """The same, with the parts it is made of."""
    state = await redis_state()
    status = "ok" if state == "ok" else "unavailable"
    body = {"status": status, "version": here.version, "redis": state}
    return JSONResponse(body, 200 if state == "ok" else 503)


@app.get("/api/v1/version")
async def version() -> Response:
    """Which release answers, on which instance, with which setting."""
    if here.fault == "smoke":
        return JSONResponse({"error": "rehearsed"}, 500)
    return JSONResponse(
        {
            "version": here.version,
            "release": here.release,
            "instance": here.instance,
            "setting": here.greeting,
        }
    )


@app.get("/api/v1/slow")
async def slow(seconds: float = 5.0) -> dict[str, Any]:
    """Answers after `seconds`, at most 60: a request a careless stop would cut off."""
    seconds = max(0.0, min(seconds, 60.0))
    await asyncio.sleep(seconds)
    return {"slept": seconds, "version": here.version, "instance": here.instance}


@app.get("/api/v1/counter")
async def counter() -> dict[str, int]:
    """The counter's value."""
    return {"value": int(await redis.get(store.COUNTER) or 0)}


@app.post("/api/v1/counter")
async def count() -> dict[str, int | str]:
    """Adds one; the receipt, signed with SECRET_KEY, proves that this service counted it."""
    value = int(await redis.incr(store.COUNTER))
    receipt = hmac.new(here.secret_key.encode(), str(value).encode(), hashlib.sha256)
    return {"value": value, "receipt": receipt.hexdigest()}


@app.get("/api/v1/jobs")
async def jobs() -> dict[str, Any]:
    """How many jobs wait, and the finished ones."""
    done = await redis.lrange(store.DONE, 0, -1)
    return {"waiting": await redis.llen(store.JOBS), "done": [json.loads(job) for job in done]}


@app.post("/api/v1/jobs", status_code=202)
async def add_job(name: str, seconds: float = 0.0) -> dict[str, str]:
    """Hands a job to the workers; it takes them `seconds`."""
    await redis.lpush(store.JOBS, json.dumps({"name": name, "seconds": seconds}))
    return {"accepted": name}


def main() -> None:
    """Serves until SIGTERM, then answers what it had accepted and exits 0."""
    faults.at_start(here.fault)
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host="0.0.0.0", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
