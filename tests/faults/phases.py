"""The phases of a deploy in which a fault strikes, in order."""

RESOLVE = "resolve"  # the client has just been started: it will ask the registry for the digest
LOOK = "look"  # before the plan: the client is connected, and nothing has been announced yet
PULL = "pull"  # only where the image is not there yet
BEFORE = ("backup", "upload", PULL, "migrate", "start", "health", "smoke-idle")
AFTER = ("switch", "smoke-host", "drain", "workers")
OVER = ("verify", "tidy")  # all is done: what is left is to look, and to put it on record
USUAL = (LOOK, *BEFORE, *AFTER, *OVER)
PHASES = (RESOLVE, *USUAL)
