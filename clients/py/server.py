"""Where the server is, and the few things that every test needs."""

import os
import time
import uuid


def need(name):
    """The variable, or an error that names it: a test without a server must not pass."""
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: these tests are run by `cargo xtask clients`")
    return value


def session(name):
    """A session id that no other run has."""
    return f"{name}-{uuid.uuid4()}"


def until(what, is_true, limit=15.0):
    """Waits until it is true. For what no client can be told of, such as the end of a session."""
    end = time.monotonic() + limit
    while not is_true():
        assert time.monotonic() < end, f"{what}: not within {limit} s"
        time.sleep(0.025)
