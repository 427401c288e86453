"""What the machine has and does: processor, memory, GPUs if NVML is there, and what each job takes of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from .. import __version__, files
from ..runs import alive
from ..runs.home import home
from ..runs.queue import Job, Queue
from .shapes import Json

# One reading serves all tabs for so many seconds.
_FRESH = 2.0


class Machine:
    """Reads the machine. Threads may share one.

    Args:
        queue: of the jobs.
        nvml: the module ``pynvml``, or what stands in for it; looked for if not given.
    """

    def __init__(self, queue: Queue, nvml: Any = None) -> None:
        self._queue, self._nvml = queue, nvml
        self._lock = threading.Lock()
        self._read: tuple[float, Json] = (0.0, {})
        self._started = False
        self._note: str | None = None
        psutil.cpu_percent(None)

    def status(self, kernels: Callable[[], dict[int, str]]) -> Json:
        """A reading, at most two seconds old.

        Args:
            kernels: gives the ids of this server's kernels by process number.
        """
        with self._lock:
            at, reading = self._read
            if time.monotonic() - at > _FRESH:
                reading = self._look(kernels())
                self._read = (time.monotonic(), reading)
            return reading

    def _look(self, kernels: dict[int, str]) -> Json:
        running = [j for j in self._queue.active() if j.state == "running" and j.host == alive.HOST and j.pid]
        trees = {job.id: _tree(job) for job in running}
        jobs = [
            {"id": j.id, "slug": j.study, "device": j.device, "memory": sum(map(_memory, trees[j.id])),
             "percent": round(sum(map(_percent, trees[j.id])), 1)}
            for j in running
        ]  # fmt: skip
        memory = psutil.virtual_memory()
        gpus = self._gpus({p.pid: number for number, tree in trees.items() for p in tree}, kernels)
        return {
            "version": __version__, "at": time.time(),
            "cpu": {"cores": os.cpu_count() or 1, "percent": psutil.cpu_percent(None), "memory_total": memory.total,
                    "memory_available": memory.available},
            "gpus": gpus, "gpu_note": self._note, "jobs": jobs, "counts": self._queue.counts(),
            "free_bytes": files.free_bytes(home()),
        }  # fmt: skip

    def _gpus(self, jobs: dict[int, int], kernels: dict[int, str]) -> list[Json]:
        nvml = self._start()
        if nvml is None:
            return []
        try:
            handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
            self._note = None if handles else "no GPU"
            return [_gpu(nvml, i, h, jobs, kernels) for i, h in enumerate(handles)]
        except nvml.NVMLError as error:
            self._note = f"the GPUs cannot be read: {error}"
            return []

    def _start(self) -> Any:
        if not self._started:
            self._started = True
            try:
                if self._nvml is None:
                    import pynvml

                    self._nvml = pynvml
                self._nvml.nvmlInit()
            except ImportError:
                self._note = "no GPU is looked for: nvidia-ml-py is not installed"
            except self._nvml.NVMLError as error:
                self._nvml, self._note = None, f"no GPU: {error}"
        return self._nvml


def _gpu(nvml: Any, index: int, handle: Any, jobs: dict[int, int], kernels: dict[int, str]) -> Json:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    name = nvml.nvmlDeviceGetName(handle)
    processes = [
        {"job": jobs.get(p.pid), "kernel": kernels.get(p.pid), "memory": p.usedGpuMemory}
        for p in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    ]
    return {
        "index": index, "name": name.decode() if isinstance(name, bytes) else str(name), "percent": _use(nvml, handle),
        "memory_total": memory.total, "memory_used": memory.used, "processes": processes,
    }  # fmt: skip


def _use(nvml: Any, handle: Any) -> float | None:
    """Percent in use; a slice of a partitioned GPU does not tell."""
    try:
        return float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:
        return None


def _tree(job: Job) -> list[psutil.Process]:
    try:
        runner = psutil.Process(job.pid)
        return [runner, *runner.children(recursive=True)]
    except psutil.Error:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _percent(process: psutil.Process) -> float:
    """Of one core, since the process began: a first reading of what happens now would be 0."""
    try:
        times = process.cpu_times()
        return float(100 * (times.user + times.system) / max(0.1, time.time() - process.create_time()))
    except psutil.Error:
        return 0.0
