"""The process of one job: it says that it starts, runs the study, and says how that ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import studies
from ..core import Result, WorkbenchError
from . import alive
from .process import Done, run
from .progress import layout, progress
from .queue import Queue, State

NOT_MINE = 4


def execute(
    queue: Queue, number: int, token: str, *, budget: float, after: Callable[[Path, Result], object] | None = None
) -> int:
    """Run a job that was claimed with this token; nothing happens if somebody else runs it or it was cancelled.

    Args:
        queue: that the job is in.
        number: of the job.
        token: see `Queue.claim`.
        budget: seconds until it is stopped.
        after: see `process.run`.

    Returns:
        0 done, 1 failed, 4 not this process's job, 130 stopped.
    """
    me = os.getpid()
    birth = alive.birth(me)
    try:
        if not queue.start(number, token, me):
            print(f"job {number} is not for this process: it was started elsewhere or cancelled", flush=True)
            return NOT_MINE
        done = _run(queue, number, me, budget, after)
    except WorkbenchError as error:
        print(f"error: {error}", flush=True)
        queue.finish(number, me, birth, "failed", reason=error.what, problem=parts(error))
        return 1
    except KeyboardInterrupt:
        state, reason = _interrupted(queue, number)
        print(reason, flush=True)
        queue.finish(number, me, birth, state, reason=reason)
        return 130
    except BaseException as error:
        what = f"{type(error).__name__}: {error}"[:2000]
        queue.finish(number, me, birth, "failed", reason=what, problem={"what": what})
        raise
    queue.finish(number, me, birth, "done", fresh=done.fresh)
    return 0


def parts(error: WorkbenchError) -> dict[str, str]:
    """An error as a table: what, given, expected, do."""
    values = {"what": error.what, "given": error.given, "expected": error.expected, "do": error.do}
    return {name: str(value)[:4000] for name, value in values.items() if value is not None}


def _interrupted(queue: Queue, number: int) -> tuple[State, str]:
    # The same signal again must not keep the last word from being said.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if queue.get(number).cancel is not None:
        return "cancelled", "cancelled while it ran; finished steps are kept"
    return "failed", "stopped from outside, e.g. because the machine was shut down; finished steps are kept"


def _run(
    queue: Queue, number: int, me: int, budget: float, after: Callable[[Path, Result], object] | None
) -> Done:  # fmt: skip
    job = queue.get(number)
    code = layout(studies.listing(job.study).notebook)
    events: list[Mapping[str, Any]] = []
    start = time.monotonic()

    def tell(slug: str, event: Mapping[str, Any]) -> None:
        if event["event"] == "started":
            events.clear()
        events.append(event)
        queue.tell(number, me, asdict(progress(events, code)))
        if event["event"] in ("step-start", "step-kept"):
            kept = " (kept)" if event["event"] == "step-kept" else ""
            print(f"[{time.monotonic() - start:6.1f} s] {event['step']}{kept}", flush=True)

    return run(
        job.study, job.parameters, budget=budget, progress=tell, after=after,
        begun=lambda folder: queue.begin(number, me, folder.name), log=sys.stdout,
    )  # fmt: skip
