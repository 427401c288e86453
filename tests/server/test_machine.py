"""The machine: no NVML is a normal state; a GPU's memory is told by job and kernel."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.runs.queue import Queue
from workbench.server.machine import Machine


class NVMLError(Exception):
    pass


class Nvml:
    """Stands in for ``pynvml``: two GPUs, the second of which does not tell its use."""

    NVMLError = NVMLError

    def __init__(self, driver: bool = True) -> None:
        self.driver, self.readings = driver, 0

    def nvmlInit(self) -> None:
        if not self.driver:
            raise NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:
        self.readings += 1
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes | str:
        return b"GPU A" if handle == 0 else "GPU B"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=1000 * (handle + 1), used=300)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:
        if handle == 1:
            raise NVMLError("Not Supported")
        return SimpleNamespace(gpu=42)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[SimpleNamespace]:
        mine, kernel, other = os.getpid(), 77, 88
        shown = [(mine, 100), (kernel, 150), (other, None)] if handle == 0 else []
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for pid, memory in shown]


@pytest.fixture
def queue(home: Path) -> Queue:
    """With job 1 running in this very process."""
    queue = Queue()
    queue.add("saliency", {}, device="gpu")
    claimed = queue.claim({"gpu": 1})
    assert claimed is not None
    assert queue.start(1, claimed[1], os.getpid())
    return queue


def test_memory_is_told_by_job_and_kernel(queue: Queue) -> None:
    nvml = Nvml()
    machine = Machine(queue, nvml)
    found = machine.status(lambda: {77: "kernel-id"})
    first, second = found["gpus"]
    assert (first["name"], first["percent"], first["memory_total"], first["memory_used"]) == ("GPU A", 42.0, 1000, 300)
    assert first["processes"] == [
        {"job": 1, "kernel": None, "memory": 100}, {"job": None, "kernel": "kernel-id", "memory": 150},
        {"job": None, "kernel": None, "memory": None},
    ]  # fmt: skip
    assert (second["name"], second["percent"], second["processes"]) == ("GPU B", None, [])
    assert (found["gpu_note"], found["jobs"][0]["id"], found["jobs"][0]["device"]) == (None, 1, "gpu")
    # One reading serves all tabs.
    machine.status(dict)
    assert nvml.readings == 1


def test_no_driver_is_one_quiet_line(queue: Queue) -> None:
    found = Machine(queue, Nvml(driver=False)).status(dict)
    assert (found["gpus"], found["gpu_note"]) == ([], "no GPU: Driver Not Loaded")


def test_no_nvml_is_one_quiet_line(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    found = Machine(queue).status(dict)
    assert (found["gpus"], found["gpu_note"]) == ([], "no GPU is looked for: nvidia-ml-py is not installed")
    assert found["cpu"]["memory_total"] > found["cpu"]["memory_available"] > 0
