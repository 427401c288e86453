"""A real Jupyter server with the built front end, and a person in front of a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "workbench" / "labextension"
SHOTS = ROOT / "build" / "screenshots"
START = "lab?reset"
TOKEN = "browser-test"
# Of Notebook 7 itself, with no extension installed.
KNOWN = ("reading 'schema'",)


def browser_path() -> str:
    """A Chromium of this machine; without one the test is skipped, and in CI it fails."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((p for name in names if name and (p := shutil.which(name))), None)
    if found is None:
        _absent("no browser: install Debian's chromium, or set CHROMIUM to one")
    return str(found)


def _absent(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Lab:
    """A server of its own, with a folder, a run store and settings of its own.

    Args:
        place: an empty folder.
        extended: with the workbench's extensions; without them it is JupyterLab as it comes, to be measured beside it.

    Attributes:
        url: its address.
        folder: what the file browser shows.
        home: where runs are kept.
        began: when it was started, on the clock of `time.monotonic`.
        pid: of the server.
    """

    def __init__(self, place: Path, *, extended: bool = True) -> None:
        self._probe = "workbench/api/status" if extended else "api/status"
        self.folder, self.home = place / "files", place / "home"
        settings = place / "settings"
        notices = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        front = place / "labextensions" / "@face-workbench" / "jupyterlab"
        for folder in (self.folder, self.home, notices.parent, front.parent, place / "user"):
            folder.mkdir(parents=True)
        notices.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        if extended:
            shutil.copytree(BUILT, front)
            shutil.copy(ROOT / "extensions" / "jupyterlab-workbench" / "install.json", front)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = place / "config.py"
        config.write_text(f"""
c.ServerApp.ip = "127.0.0.1"; c.ServerApp.port = {port}; c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False; c.ServerApp.allow_root = True
c.ServerApp.root_dir = {str(self.folder)!r}
c.ServerApp.jpserver_extensions = {{"workbench": {extended}, "jupyterlab": True, "notebook": True}}
c.IdentityProvider.token = {TOKEN!r}
for app in (c.LabApp, c.JupyterNotebookApp):
    app.expose_app_in_browser = True
    app.user_settings_dir = {str(settings)!r}
    app.workspaces_dir = {str(place / "workspaces")!r}
    app.extra_labextensions_path = [{str(place / "labextensions")!r}]
""")
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
        environment = {
            **kept, "HOME": str(place / "user"), "PYTHONPATH": str(ROOT), "WORKBENCH_HOME": str(self.home),
            "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1",
        }  # fmt: skip
        self.url, self.log = f"http://127.0.0.1:{port}", place / "server.log"
        self.began = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", f"--config={config}"], cwd=place, env=environment, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        self._wait(self.began + 120)

    def _wait(self, until: float) -> None:
        while self._process.poll() is None and time.monotonic() < until:
            try:
                self._fetch("GET", self._probe)
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise AssertionError(f"the server did not come up:\n{self.log.read_text()[-3000:]}")

    def get(self, path: str) -> Any:
        """What the interface answers."""
        return self.ask("GET", path)

    def ask(self, verb: str, path: str, body: object = None) -> Any:
        """What the interface answers to a request of this verb."""
        return self._fetch(verb, f"workbench/api/{path}", body)

    def _fetch(self, verb: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/{path}", method=verb, headers={"Authorization": f"token {TOKEN}"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def stop(self) -> None:
        """End it with everything that it started: jobs would go on without it."""
        if self._probe.startswith("workbench"):
            self._cancel()
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)

    def _cancel(self) -> None:
        for job in self.get("jobs")["jobs"]:
            if job["state"] in ("queued", "running"):
                self.ask("DELETE", f"jobs/{job['id']}")
        until = time.monotonic() + 20
        while self.get("jobs")["counts"].get("running") and time.monotonic() < until:
            time.sleep(0.2)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running server."""
    browser_path()
    if not (BUILT / "package.json").is_file():
        _absent("the front end is not built: make .venv/.installed, or jlpm build:prod in extensions/")
    running = Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium without a window."""
    path = browser_path()
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield running
        running.close()


class Person:
    """Someone with a browser of their own.

    Attributes:
        page: Playwright's page.
        faults: errors of the console and of pages.
        strays: requests that left this machine.
    """

    def __init__(self, chromium: Any, lab: Lab, width: int = 1280) -> None:
        self.lab = lab
        self.context = chromium.new_context(viewport={"width": width, "height": 800})
        self.faults: list[str] = []
        self.strays: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self._fault(str(error)))
        self.page.on("console", lambda said: self._fault(said.text) if said.type == "error" else None)
        self.context.on("request", self._request)

    def _fault(self, text: str) -> None:
        if not any(known in text for known in KNOWN):
            self.faults.append(text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.lab.url, self.lab.url.replace("http", "ws"), "data:", "blob:", "about:")):
            self.strays.append(request.url)

    def open(self, path: str = START) -> Any:
        """Open a page of the server and wait until it is usable."""
        mark = "&" if "?" in path else "?"
        self.page.goto(f"{self.lab.url}/{path}{mark}token={TOKEN}")
        self.settled()
        if path == START:
            # The launcher comes after all else, and takes the focus.
            self.page.wait_for_function("document.activeElement?.closest('.jp-Launcher')")
        return self.page

    def settled(self) -> None:
        """Wait until the application has started."""
        self.page.wait_for_function("window.jupyterapp?.commands.hasCommand('face-workbench:open-studies')")
        self.page.evaluate("() => { window.jupyterapp.restored.then(() => { window.isRestored = true; }); }")
        self.page.wait_for_function("window.isRestored")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def command(self, name: str, arguments: object = None) -> None:
        """A command, not waited for."""
        self.page.evaluate("([id, args]) => { window.jupyterapp.commands.execute(id, args ?? {}); }", [name, arguments])

    def shot(self, name: str) -> None:
        """Keep what is seen, for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"))


@pytest.fixture(scope="module")
def someone() -> type[Person]:
    """For tests that share one page: `Person`, to be made and closed by them."""
    return Person


@pytest.fixture
def person(chromium: Any, lab: Lab) -> Iterator[Person]:
    """Someone in front of the server. Afterwards: no error was seen and nothing left this machine."""
    made = Person(chromium, lab)
    yield made
    made.context.close()
    assert made.faults == []
    assert made.strays == []
