"""Slow work of a widget: at once where Python asked for it, in a thread where the browser did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_BROWSER: ContextVar[bool] = ContextVar("workbench_from_browser", default=False)


class SupersededError(Exception):
    """A newer wish has come: what is computed now is no longer asked for."""


@contextmanager
def from_browser() -> Iterator[None]:
    """What is asked within came from the browser: nobody waits for it in a cell."""
    token = _BROWSER.set(True)
    try:
        yield
    finally:
        _BROWSER.reset(token)


def asked_by_browser() -> bool:
    """Whether the wish that is being handled came from the browser."""
    return _BROWSER.get()


@dataclass
class Job:
    """One piece of work.

    Attributes:
        task: what to do; it gets this job, and its value goes to ``then``.
        then: what to do with the value, if no newer job has come meanwhile.
        failed: what to do with an exception, likewise.
        report: called with the share done, 0 to 1.
    """

    task: Callable[[Job], Any]
    then: Callable[[Any], None]
    failed: Callable[[Exception], None]
    report: Callable[[float], None]
    superseded: bool = False

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is.

        Raises:
            SupersededError: a newer job has come; let it through.
        """
        if self.superseded:
            raise SupersededError
        self.report(done / total if total else 1.0)


class Worker:
    """One thread that does what was asked last; what it had not begun is left out, what it does is told to stop."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: Job | None = None
        self._doing: Job | None = None
        self._thread: threading.Thread | None = None

    def do(self, job: Job) -> None:
        """Do a job: at once, or in the thread if the browser asked for it."""
        with self._lock:
            for other in (self._waiting, self._doing):
                if other is not None:
                    other.superseded = True
            self._waiting = None
            if asked_by_browser():
                self._waiting = job
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="workbench-widget", daemon=True)
                    self._thread.start()
                self._lock.notify_all()
                return
        _perform(job)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; False when ``timeout`` seconds were not enough."""
        with self._lock:
            return self._lock.wait_for(lambda: self._waiting is None and self._doing is None, timeout)

    def stop(self) -> None:
        """Leave out what waits, and tell what runs to stop."""
        with self._lock:
            for job in (self._waiting, self._doing):
                if job is not None:
                    job.superseded = True
            self._waiting = None
            self._lock.notify_all()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._doing = None
                self._lock.notify_all()
                # An idle thread ends by itself: a closed widget leaves none behind.
                if not self._lock.wait_for(lambda: self._waiting is not None, timeout=30):
                    self._thread = None
                    return
                self._doing, self._waiting = self._waiting, None
                job = self._doing
            if job is not None:
                with from_browser():
                    _perform(job)


def _perform(job: Job) -> None:
    try:
        value = job.task(job)
        if not job.superseded:
            job.then(value)
    except SupersededError:
        return
    except Exception as error:
        # Whatever it was, the widget says it: a thread has no cell that could.
        if not job.superseded:
            job.failed(error)
