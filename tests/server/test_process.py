"""Real servers in processes of their own: what they load, and what is left when they are killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from workbench.runs.queue import Queue

STUB = Path(__file__).parents[1] / "runs" / "stub_job.py"
HEAVY = ("torch", "papermill", "matplotlib", "onnxruntime", "cv2", "transformers", "nbconvert", "pandas", "scipy")
LAUNCH = """
import sys
from workbench.runs import worker
if {stub!r}:
    worker.command = lambda job, token, budget: [sys.executable, {stub!r}, str(job.id), token, "0.05"]
from jupyter_server.serverapp import main
main(sys.argv[1:])
"""


class Server:
    """A Jupyter server with the extension, on a port of its own."""

    def __init__(self, folder: Path, stub: str, base_url: str) -> None:
        config = folder / "config"
        config.mkdir(exist_ok=True)
        (folder / "root").mkdir(exist_ok=True)
        # Into the file that the wheel brings, as an installation would have it.
        shipped = Path(__file__).parents[2] / "jupyter-config" / "server-config" / "face_workbench.json"
        (config / "jupyter_server_config.json").write_bytes(shipped.read_bytes())
        self.said = folder / f"said-{time.monotonic_ns()}"
        environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
                       "JUPYTER_DATA_DIR": str(folder / "data"), "JUPYTER_NO_CONFIG": ""}  # fmt: skip
        environment.pop("JUPYTER_NO_CONFIG")
        options = ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--no-browser", "--allow-root",
                   "--IdentityProvider.token=known", f"--ServerApp.root_dir={folder / 'root'}",
                   f"--ServerApp.base_url={base_url}", "--ServerApp.allow_unauthenticated_access=False",
                   "--WorkbenchExtension.poll_seconds=0.1", "--WorkbenchExtension.jobs_per_device=cpu=3",
                   "--ServerApp.jpserver_extensions={'workbench': True, 'jupyterlab': False}"]  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH.format(stub=stub), *options], env=environment, cwd=folder,
            stdout=subprocess.DEVNULL, stderr=self.said.open("w"), start_new_session=True,
        )  # fmt: skip
        self.address = ""
        until(self._ready)

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.said.read_text()
        runtime = list((self.said.parent / "runtime").glob(f"jpserver-{self.process.pid}.json"))
        if runtime:
            self.address = json.loads(runtime[0].read_text() or "{}").get("url", "")
        return bool(self.address)

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.address}workbench/api{path}", data, {"Authorization": "token known"}, method=method)
        deadline = time.monotonic() + 20
        while True:
            try:
                with urlopen(request, timeout=30) as response:
                    return json.loads(response.read())
            except (URLError, ConnectionError) as error:
                # The address is written before the socket listens.
                if getattr(error, "code", 0) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def until(condition: Callable[[], object], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on one folder; they are killed in the end."""
    started: list[Server] = []

    def one(stub: str = "", base_url: str = "/") -> Server:
        started.append(Server(tmp_path, stub, base_url))
        return started[-1]

    yield one
    for server in started:
        server.kill()


def test_fifty_runs_three_at_once_with_the_server_killed_in_the_middle(
    home: Path, serve: Callable[..., Server]
) -> None:
    first = serve(str(STUB), base_url="/user/ann@example/")
    for seed in range(50):
        first.ask("/jobs", {"study": "saliency", "parameters": {"scale": "smoke", "seed": seed}})
    until(lambda: first.ask("/jobs?limit=1")["counts"]["done"] >= 8)
    first.kill()
    queue = Queue()
    assert queue.counts()["queued"] > 5
    second = serve(str(STUB), base_url="/another/")
    until(lambda: second.ask("/jobs?limit=1")["counts"]["done"] == 50)
    counts = second.ask("/jobs?limit=1")["counts"]
    assert counts == {"queued": 0, "running": 0, "done": 50, "failed": 0, "cancelled": 0, "lost": 0}
    marks = [line.split() for line in (home / "ran").read_text().splitlines()]
    assert Counter(int(m[0]) for m in marks) == Counter([*range(1, 51), *range(-50, 0)])
    at_once = most = 0
    for number, *_ in sorted(marks, key=lambda m: float(m[1])):
        at_once += -1 if number.startswith("-") else 1
        most = max(most, at_once)
    assert most == 3


CELLS = (
    "from workbench.core import Evidence\nfrom workbench.runs import begin\nrun = begin('tiny/thing', globals())",
    "import time\nprint('working', flush=True)\nrun.step(time.sleep, 4.0, name='resting')",
    "run.conclude(Evidence(untestable={'x': 'nothing was measured'}))",
)


def test_a_killed_server_leaves_runs_that_finish_and_die_as_they_should(
    home: Path, serve: Callable[..., Server], tiny_study: Callable[..., Path]
) -> None:
    tiny_study(*CELLS)
    server = serve()
    for seed in (1, 2):
        server.ask("/jobs", {"study": "tiny/thing", "parameters": {"scale": "smoke", "seed": seed}})

    def resting() -> bool:
        return all(j["progress"]["step"] == "resting" for j in server.ask("/jobs")["jobs"])

    until(resting)
    server.kill()
    queue = Queue()
    # One goes on without its server; the other one dies with nobody to see it.
    os.kill(queue.get(2).pid or 0, signal.SIGKILL)
    until(lambda: queue.get(1).over)
    assert queue.get(1).state == "done", queue.log(1).read_text()
    assert queue.get(2).state == "running"
    second = serve()
    until(lambda: second.ask("/jobs/2")["state"] == "lost")
    rows = {r["job"]: r for r in second.ask("/runs")["runs"]}
    assert (rows[1]["status"], rows[2]["status"]) == ("done", "died")
    found = second.ask(f"/runs/tiny--thing/{rows[1]['run']}")
    assert [v["answer"] for v in found["verdicts"]] == ["not testable here"] * 2
    assert (found["report"], found["problem"]) == (True, None)
    assert "working" in second.ask("/jobs/1/log")["text"]
    # Started again it does what is missing, under its own identity.
    again = second.ask("/jobs/2/restart", {})
    until(lambda: second.ask(f"/jobs/{again['id']}")["state"] == "done")
    assert second.ask(f"/jobs/{again['id']}")["run"] == rows[2]["run"]


def test_the_server_process_loads_nothing_heavy(home: Path) -> None:
    code = f"""
import json, sys
from workbench.server import app, results
from workbench.server.desk import Desk
from workbench.server.handlers import handlers
from workbench.server.machine import Machine
desk = Desk()
handlers()
for entry in desk.studies()["studies"]:
    desk.page(entry["name"]), desk.schema(entry["name"]), desk.check(entry["name"], {{}})
    desk.add(entry["name"], {{}})
desk.board(), desk.runs(study="", status="", limit=9, offset=0), desk.jobs(since=0, state="", study="", limit=9, poll=1)
Machine(desk.queue).status(dict)
print(json.dumps([m for m in {HEAVY} if m in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_listing_imports_no_package_of_a_plug_in(tiny_study: Callable[..., Path]) -> None:
    package = tiny_study("x = 1")
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    code = "from workbench import studies; print([str(p) for s, p in studies.places().items() if s == 'tiny/thing'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "tiny/thing" in done.stdout


def test_jupyter_lists_the_extension_as_sound(tmp_path: Path, repository: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    shipped = repository / "jupyter-config" / "server-config" / "face_workbench.json"
    (config / "jupyter_server_config.json").write_bytes(shipped.read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True,
        env={**os.environ, "JUPYTER_CONFIG_DIR": str(config), "HOME": str(tmp_path)},
    )  # fmt: skip
    said = re.sub(r"\x1b\[\d*m", "", done.stdout + done.stderr)
    assert "workbench enabled" in said
    # Once for this configuration, and once for the environment's own where the package was installed with it.
    lines = [ln for ln in said.splitlines() if "workbench" in ln and "OK" in ln]
    assert lines
    assert all("0.1.0" in line for line in lines)


def test_naming_the_workbench_does_not_load_the_server() -> None:
    code = "import sys, workbench; print([m for m in ('jupyter_server', 'tornado', 'psutil') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
