"""The extension: its settings, and the one loop that starts jobs and tells what changed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool, Dict, Enum, Float, Int, Unicode

from .. import __version__
from ..core import WorkbenchError
from ..runs import worker
from ..runs.job import parts
from .desk import Desk
from .handlers import handlers
from .machine import Machine

EVENT = "urn:face-workbench:job:v1"
_NUMBER, _TEXT = {"type": ["number", "null"]}, {"type": ["string", "null"]}
_SCHEMA = {
    "$id": EVENT,
    "version": "1",
    "title": "A job of the Face Workbench changed",
    "description": "Names no path, no parameter and no picture.",
    "personal-data": True,
    "type": "object",
    "properties": {
        "cursor": {"type": "integer"}, "id": {"type": "integer"}, "study": {"type": "string"},
        "slug": {"type": "string"}, "state": {"type": "string"}, "reason": _TEXT, "run": _TEXT, "seconds": _NUMBER,
        "position": _NUMBER, "cancelling": {"type": "boolean"}, "progress": {"type": "object"},
    },
}  # fmt: skip


class WorkbenchExtension(ExtensionApp):
    """Face Workbench in a Jupyter server."""

    name = "workbench"
    description = "Studies, runs and the queue of Face Workbench over HTTP"
    version = __version__
    load_other_extensions = True

    home = Unicode("", help="Folder of the run store; empty: WORKBENCH_HOME, or the user's data folder.").tag(
        config=True
    )
    jobs_per_device = Dict(
        key_trait=Unicode(), value_trait=Int(min=0), default_value=dict(worker.LIMITS),
        help="Runs at a time by device, over all servers of one run store.",
    ).tag(config=True)  # fmt: skip
    queue_limit = Int(200, min=0, help="Most jobs that may wait.").tag(config=True)
    job_hours = Float(24.0, min=0.001, help="Hours after which a run is stopped.").tag(config=True)
    starts_jobs = Bool(True, help="Whether this server starts queued jobs.").tag(config=True)
    default_scale = Enum(("smoke", "demo", "paper"), "demo", help="Scale of a run that names none.").tag(config=True)
    body_limit = Int(65536, min=1024, help="Most bytes of a request's body.").tag(config=True)
    response_limit = Int(16 << 20, min=65536, help="Most bytes of a JSON answer.").tag(config=True)
    report_limit = Int(128 << 20, min=65536, help="Most bytes of a report page.").tag(config=True)
    log_tail = Int(65536, min=1024, help="Most bytes of a log in one answer.").tag(config=True)
    poll_seconds = Float(1.0, min=0.1, help="Seconds between two looks at the queue.").tag(config=True)
    notebooks_folder = Unicode(
        "face-workbench", help="Folder, below the server's root folder, that copies of notebooks go to."
    ).tag(config=True)

    desk: Desk
    machine: Machine
    pool: ThreadPoolExecutor

    @property
    def server(self) -> ServerApp:
        """The server that the extension runs in."""
        found: ServerApp = self.serverapp  # type: ignore[assignment]
        return found

    def initialize_settings(self) -> None:
        """Make what the handlers ask."""
        if self.home:
            # Kernels and jobs inherit it: whatever is run from this server lies in one store.
            os.environ["WORKBENCH_HOME"] = str(Path(self.home).expanduser().resolve())
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="workbench")
        budget = self.job_hours * 3600
        self.desk = Desk(
            limits=self.jobs_per_device, queue_limit=self.queue_limit, default_scale=self.default_scale,
            works=self.starts_jobs, base=Path(self.server.root_dir),
            start=lambda job, token: worker.command(job, token, budget),
        )  # fmt: skip
        self.machine = Machine(self.desk.queue)
        self._cursor = self.desk.queue.cursor()
        self._busy = False
        self._loop: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self.settings["workbench"] = self
        if EVENT not in self.server.event_logger.schemas.schema_ids:
            self.server.event_logger.register_event_schema(_SCHEMA)

    def initialize_handlers(self) -> None:
        """Add the addresses."""
        self.handlers.extend(handlers())

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        self._loop = asyncio.create_task(self._watch())
        # The first look reads every study; whoever opens the panel finds it done.
        self._warm = asyncio.get_running_loop().run_in_executor(self.pool, self.desk.studies)
        self._warm.add_done_callback(self._warmed)

    def _warmed(self, look: asyncio.Future[Any]) -> None:
        if not look.cancelled() and look.exception() is not None:
            self.log.warning("workbench: the studies cannot be listed: %s", look.exception())

    async def stop_extension(self) -> None:
        """Stop looking; what runs goes on, and the next server takes it over."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
            self._loop = None
        self.pool.shutdown(wait=False, cancel_futures=True)

    def current_activity(self) -> Any:
        """Whether jobs wait or run: a server that is idle otherwise must not be stopped then."""
        return self._busy

    def kernels(self) -> dict[int, str]:
        """Ids of this server's kernels by process number."""
        found = {}
        manager = self.server.kernel_manager
        for kernel in manager.list_kernel_ids():
            pid = getattr(getattr(manager.get_kernel(kernel), "provisioner", None), "pid", None)
            if pid:
                found[int(pid)] = str(kernel)
        return found

    def wake(self) -> None:
        """Look at the queue now."""
        self._awake.set()

    async def _watch(self) -> None:
        while True:
            try:
                await self.tick()
            except WorkbenchError as error:
                self.log.warning("workbench: the queue cannot be looked at: %s", parts(error))
            self._awake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), self.poll_seconds)

    async def tick(self) -> None:
        """Start what may start, settle what has ended, and tell every open tab what changed."""
        loop = asyncio.get_running_loop()
        self._cursor, changed = await loop.run_in_executor(self.pool, self.desk.tick, self._cursor)
        self._busy = bool(await loop.run_in_executor(self.pool, self.desk.queue.active))
        for data in changed:
            self.server.event_logger.emit(schema_id=EVENT, data=data)
