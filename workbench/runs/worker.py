"""Who starts jobs and looks after them: a server, or ``workbench queue work``. Any number may share one queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import psutil

from .. import files
from . import alive
from .home import home, run_folder
from .process import ENVIRONMENT, RESULT
from .queue import Job, Queue

# Seconds between the polite signal and the one that cannot be refused.
GRACE = 6.0
# Seconds in which a started process must have said so; Python and its imports take two or three.
STARTING = 120.0
BUDGET = 24 * 3600.0
LIMITS = {"cpu": 1, "gpu": 1}
Command = Callable[[Job, str], list[str]]


def command(job: Job, token: str, budget: float = BUDGET) -> list[str]:
    """What runs a job: the workbench itself, as a process of its own."""
    own = [sys.executable, "-m", "workbench", "queue", "execute", str(job.id)]
    return [*own, "--token", token, "--budget", f"{budget:g}"]


class Worker:
    """Starts jobs while there are free slots; what it started lives on when it ends.

    Args:
        queue: of the jobs.
        limits: jobs at a time by device, over all workers of this queue.
        command: what runs a job; see `command`.
    """

    def __init__(self, queue: Queue, limits: Mapping[str, int] | None = None, *, command: Command = command) -> None:
        self.queue = queue
        self.limits = dict(LIMITS if limits is None else limits)
        self._command = command
        self._children: list[tuple[Job, subprocess.Popen[bytes]]] = []

    def tick(self) -> int:
        """Settle what has ended, then fill free slots; returns how many were started."""
        self._reap()
        settle(self.queue)
        started = 0
        while (claimed := self.queue.claim(self.limits)) is not None:
            self._launch(*claimed)
            started += 1
        return started

    def _reap(self) -> None:
        """Take leave of children that have ended; one that never came to start its job makes the job fail."""
        ended = [(job, child) for job, child in self._children if child.poll() is not None]
        self._children = [pair for pair in self._children if pair not in ended]
        for job, child in ended:
            self.queue.reject(
                job, f"its process ended with status {child.returncode} before it could start; see its log"
            )

    def _launch(self, job: Job, token: str) -> None:
        environment = {k: os.environ[k] for k in ENVIRONMENT if k in os.environ}
        environment |= {alive.MARK: job.mark, "WORKBENCH_HOME": str(home())}
        try:
            with files.open_log(self.queue.log(job.id)) as log:
                child = subprocess.Popen(
                    self._command(job, token), env=environment, cwd=self.queue.path.parent, start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                )  # fmt: skip
        except OSError as error:
            self.queue.reject(job, f"its process could not be started: {error.strerror or error}")
            return
        self._children.append((job, child))


def settle(queue: Queue) -> None:
    """Bring the table and the processes of this machine together.

    A job whose process is gone without a word is marked: done if its result was committed, else lost. A claim
    whose owner is gone is given back. A cancelled process that has not gone in time is killed.
    """
    now = time.time()
    for job in queue.active():
        here = job.host == alive.HOST
        if job.state == "running":
            if not alive.same(job.pid, job.birth) if here else _left_elsewhere(job, now):
                _bury(queue, job)
            elif here and job.cancel is not None and now > job.cancel + GRACE:
                alive.kill(_processes(job))
        elif job.claim:
            gone = here and not alive.same(job.claimer, job.claimer_birth)
            if gone or now > (job.claimed or 0) + STARTING:
                queue.release(job)


def _left_elsewhere(job: Job, now: float) -> bool:
    """Whether a job of another machine, or of a container that is no more, has gone: nobody holds its run."""
    if job.run is None:
        return job.cancel is not None and now > job.cancel + STARTING
    return now > (job.started or 0) + STARTING and not files.owner(run_folder(job.study, job.run) / "lock")


def _bury(queue: Queue, job: Job) -> None:
    alive.kill(alive.marked(job.mark))
    who = (job.id, job.pid or 0, job.birth or "")
    if job.run and (run_folder(job.study, job.run) / RESULT).is_file():
        queue.finish(*who, "done")
    elif job.cancel is not None:
        queue.finish(*who, "cancelled", reason="cancelled while it ran; finished steps are kept")
    else:
        queue.finish(*who, "lost", reason="its process was gone and had left no word; start it again to go on from the "
                     "finished steps")  # fmt: skip


def _processes(job: Job) -> list[psutil.Process]:
    """All processes of a running job, also those that lost their parent or their environment."""
    found = {p.pid: p for p in alive.marked(job.mark)}
    try:
        runner = psutil.Process(job.pid)
        found |= {p.pid: p for p in [runner, *runner.children(recursive=True)]}
    except psutil.Error:
        pass
    return list(found.values())


def cancel(queue: Queue, number: int) -> Job:
    """Cancel a job; of one that runs the processes are told to end, and `settle` kills them if they do not.

    Raises:
        UnknownNameError: there is none of this number.
        BusyError: it has ended otherwise.
    """
    job = queue.cancel(number)
    if job.state == "running" and job.host == alive.HOST and job.pid and alive.same(job.pid, job.birth):
        try:
            os.kill(job.pid, signal.SIGTERM)
        except ProcessLookupError:
            settle(queue)
    return queue.get(number)
