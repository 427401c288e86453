"""The process of one run: papermill executes the notebook, our journal says what happened."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import files
from ..core.absent import absent
from . import journal

EXECUTED = "notebook.ipynb"
OUT_OF_MEMORY = "out of memory"


def watch_parent(folder: Path, parent: int) -> None:
    """End this process group when the runner is gone: nobody would commit what it computes."""
    while os.getppid() == parent:
        time.sleep(0.5)
    journal.write(folder, "died", cell=-1, why="the runner was killed")
    os.killpg(os.getpgrp(), signal.SIGKILL)


def out_of_memory(name: str, text: str) -> bool:
    """Whether an exception says that memory ran out, in Python's, NumPy's or torch's words."""
    said = text.lower()
    return (
        name in ("MemoryError", "_ArrayMemoryError", "OutOfMemoryError")
        or "can't allocate memory" in said
        or "out of memory" in said
    )


def peak_bytes() -> int:
    """The most memory that an ended kernel held (Linux counts in KiB, macOS in bytes)."""
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def processor_seconds() -> float:
    """What an ended kernel, its threads and its children have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tools() -> tuple[ModuleType, ModuleType]:
    """The packages nbformat and papermill, without a grammar of addresses that would take most of a second to load."""
    with absent("rfc3987_syntax"):
        import nbformat
        import papermill
    return nbformat, papermill


def main(folder: Path) -> int:
    """Execute the notebook of a prepared run folder; 0 when every cell ran."""
    threading.Thread(target=watch_parent, args=(folder, os.getppid()), daemon=True).start()
    nbformat, papermill = tools()
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from nbformat.sign import NotebookNotary

    class OwnKernel(KernelSpecManager):  # type: ignore[misc]
        """This interpreter, whatever kernels the machine has installed."""

        def get_kernel_spec(self, kernel_name: str) -> Any:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Face Workbench", language="python")

    logging.getLogger("papermill").setLevel(logging.ERROR)
    order = json.loads(files.read_text(folder / "order.json"))
    if order.get("memory"):
        # The kernel inherits it.
        resource.setrlimit(resource.RLIMIT_AS, (order["memory"], order["memory"]))
    at = [-1]

    def started(cell: Any, cell_index: int, **_: Any) -> None:
        at[0] = cell_index
        journal.write(folder, "cell", cell=cell_index)

    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):  # type: ignore[misc]
        """Starts `OwnKernel`."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**{**options, "kernel_spec_manager": OwnKernel()})

    try:
        # The kernel is killed after its last cell: all has been written, and torch takes a second to say goodbye.
        papermill.execute_notebook(
            str(folder / "input.ipynb"), str(folder / EXECUTED), parameters=order["parameters"],
            kernel_name="python3", cwd=str(folder), progress_bar=False, on_cell_start=started,
            kernel_manager_class=Manager, language="python", stdout_file=sys.stdout, stderr_file=sys.stdout,
            shutdown_kernel="immediate",
        )  # fmt: skip
    except (DeadKernelError, CellTimeoutError) as error:
        journal.write(folder, "died", cell=at[0], why=str(error).splitlines()[0], peak=peak_bytes())
        return 2
    except papermill.PapermillExecutionError as error:
        why = f"{error.ename}: {error.evalue}"[:2000]
        if out_of_memory(error.ename, error.evalue):
            journal.write(folder, OUT_OF_MEMORY, cell=at[0], why=why, peak=peak_bytes())
        else:
            journal.write(folder, "failed", cell=at[0], why=why)
        return 1
    notebook = nbformat.read(str(folder / EXECUTED), as_version=4)
    NotebookNotary().sign(notebook)
    journal.write(folder, "executed", peak=peak_bytes(), processor=round(processor_seconds(), 1))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
