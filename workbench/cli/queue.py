"""``workbench queue``: runs that wait for a free place; the JupyterLab panel shows the same ones."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .. import files, studies
from ..core import ParameterError, RunError
from .show import print_json, report, table

if TYPE_CHECKING:
    from ..runs.queue import Queue

_ACTIONS = ("list", "add", "cancel", "restart", "log", "work", "execute")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("action", choices=_ACTIONS, nargs="?", default="list", metavar="ACTION",
                        help="list (also when left out), add STUDY, cancel ID, restart ID, log ID, or work: start "
                        "queued runs here until Ctrl-C; a Jupyter server does so, too")  # fmt: skip
    parser.add_argument("what", nargs="?", default="", metavar="STUDY|ID")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--scale", choices=("smoke", "demo", "paper"))
    parser.add_argument("--cpu", type=int, default=1, metavar="N", help="runs at a time on the processor (work)")
    parser.add_argument("--gpu", type=int, default=1, metavar="N", help="runs at a time on GPUs (work)")
    parser.add_argument("--once", action="store_true", help="stop when nothing waits or runs any more (work)")
    parser.add_argument("--limit", type=int, default=20, help="how many (list)")
    parser.add_argument("--json", action="store_true")
    # What a worker calls: a claimed job becomes a process.
    parser.add_argument("--token", default="", help=argparse.SUPPRESS)
    parser.add_argument("--budget", type=float, default=86400.0, help=argparse.SUPPRESS)


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked for; the exit code."""
    from ..runs.queue import Queue

    actions = {"list": _list, "add": _add, "cancel": _cancel, "restart": _restart, "log": _log, "work": _work,
               "execute": _execute}  # fmt: skip
    return actions[chosen.action](Queue(), chosen)


def _list(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.worker import settle

    settle(queue)
    jobs = queue.jobs(limit=chosen.limit)
    if chosen.json:
        print_json([_shown(job) for job in jobs])
        return 0
    rows = []
    for job in jobs:
        when = datetime.fromtimestamp(job.created).strftime("%Y-%m-%d %H:%M")
        fraction = job.progress.get("fraction")
        state = f"{job.state} {fraction:.0%}" if job.state == "running" and fraction is not None else job.state
        values = " ".join(f"{k}={v}" for k, v in job.parameters.items())
        rows.append((str(job.id), job.study, when, job.device, state, values, job.reason))
    table("jobs, the newest first", ("id", "study", "queued", "device", "state", "parameters", "why"), rows)
    return 0


def _shown(job: Any) -> Mapping[str, object]:
    hidden = ("claim", "claimed", "claimer", "claimer_birth", "birth")
    return {k: v for k, v in asdict(job).items() if k not in hidden}


def _add(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.order import order
    from ..runs.parameters import from_text, pair, schema

    if not chosen.what:
        raise ParameterError("name a study", expected="workbench queue add saliency --scale demo")
    typed = dict(pair(p) for p in chosen.parameter) | ({"scale": chosen.scale} if chosen.scale else {})
    known = schema(studies.listing(chosen.what).notebook)
    given, device = order(from_text(typed, known), known)
    job = queue.add(chosen.what, given, device=device)
    if chosen.json:
        print_json(_shown(job))
    else:
        print(f"job {job.id} waits for a free place; `workbench queue work` or a Jupyter server starts it")
    return 0


def _number(chosen: argparse.Namespace) -> int:
    if not chosen.what.isdecimal() or len(chosen.what) > 9:
        raise ParameterError("name a job by its number", given=chosen.what[:100] or None,
                             do="`workbench queue` lists them")  # fmt: skip
    return int(chosen.what)


def _cancel(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.worker import GRACE, cancel, settle

    job = cancel(queue, _number(chosen))
    deadline = time.monotonic() + 2 * GRACE
    while not job.over and time.monotonic() < deadline:
        time.sleep(0.2)
        settle(queue)
        job = queue.get(job.id)
    if not job.over:
        raise RunError(f"job {job.id} has not ended", given=f"process {job.pid} on {job.host}",
                       do="end it on that machine")  # fmt: skip
    print(f"job {job.id}: {job.state}")
    return 0


def _restart(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.order import restart

    job = restart(queue, _number(chosen))
    print(f"job {job.id} repeats job {job.restarted_from}")
    return 0


def _log(queue: Queue, chosen: argparse.Namespace) -> int:
    job = queue.get(_number(chosen))
    path = queue.log(job.id)
    if path.is_file():
        text, _, _ = files.read_part(path, None, 1 << 20)
        print(text.decode("utf-8", "replace"), end="")
    return 0


def _work(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.worker import Worker

    if chosen.cpu < 0 or chosen.gpu < 0:
        raise ParameterError("places are counted", given=min(chosen.cpu, chosen.gpu), expected="0 or more")
    worker = Worker(queue, {"cpu": chosen.cpu, "gpu": chosen.gpu})
    print("starting queued runs; Ctrl-C stops this, and what runs goes on", file=sys.stderr)
    cursor = queue.cursor()
    while True:
        worker.tick()
        for job in queue.jobs(since=cursor):
            cursor = job.changed
            print(f"job {job.id} {job.study}: {job.state} {job.progress.get('line') or job.reason}".rstrip(),
                  file=sys.stderr, flush=True)  # fmt: skip
        if chosen.once and not queue.active():
            return 0
        time.sleep(0.5)


def _execute(queue: Queue, chosen: argparse.Namespace) -> int:
    from ..runs.job import execute

    return execute(queue, _number(chosen), chosen.token, budget=chosen.budget, after=report)
