"""A real widget in a real browser, without JupyterLab between them: the comm is a bridge, everything else is real."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets
import pytest

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bench</title></head>
<body><main id="here"></main></body></html>"""
_HARNESS = Path(__file__).with_name("harness.js").read_text()


class Bridge:
    """What the kernel side of a comm does, with the browser at the other end."""

    opened: ClassVar[dict[str, Bridge]] = {}
    numbers: ClassVar[Iterator[int]] = itertools.count()

    def __init__(self, *, comm_id: str = "", **_: Any) -> None:
        # Never a number again: a widget of an earlier test that is dropped now must not close this one's comm.
        self.comm_id = comm_id or f"c{next(self.numbers)}"
        self.sent: list[dict[str, Any]] = []
        self.handler: Callable[[dict[str, Any]], None] = lambda message: None
        Bridge.opened[self.comm_id] = self

    def on_msg(self, handler: Callable[[dict[str, Any]], None]) -> None:
        self.handler = handler

    def on_close(self, handler: Any) -> None: ...

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        # As Jupyter does: strict JSON, so that a NaN or an odd type fails here, too.
        text = json.dumps(data, allow_nan=False)
        parts = [base64.b64encode(bytes(b)).decode() for b in buffers or []]
        self.sent.append({"id": self.comm_id, "data": json.loads(text), "buffers": parts})

    def open(self, *_: Any, **__: Any) -> None: ...

    def close(self, *_: Any, **__: Any) -> None:
        Bridge.opened.pop(self.comm_id, None)

    def take(self) -> list[dict[str, Any]]:
        """What was sent since the last look."""
        taken, self.sent = self.sent, []
        return taken

    def receive(self, method: str, data: Any, buffers: list[bytes] | None = None) -> None:
        """A message from the browser."""
        key = "state" if method == "update" else "content"
        self.handler({
            "content": {"data": {"method": method, key: data, "buffer_paths": []}},
            "buffers": [memoryview(b) for b in buffers or []],
        })  # fmt: skip


@pytest.fixture(autouse=True)
def bridge(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Bridge]]:
    """Every widget of a test speaks through a `Bridge`: ``widget.comm.receive(...)``, ``widget.comm.take()``."""
    monkeypatch.setattr("comm.create_comm", lambda **options: Bridge(**options))
    yield Bridge
    Bridge.opened.clear()


def browser_path() -> str:
    """A Chromium of this machine; without one the test is skipped, and in CI it fails."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((p for name in names if name and (p := shutil.which(name))), None)
    if found is None:
        reason = "no browser: install Debian's chromium, or set CHROMIUM to one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window. It ends with the module: its event loop must not meet those of other tests."""
    path = browser_path()
    playwright = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
            ],
        )  # fmt: skip
        yield chromium
        chromium.close()


class Bench:
    """A page with widgets on it.

    Attributes:
        page: Playwright's page.
        faults: errors of the console and of the page.
        strays: addresses that something asked for; a widget needs none.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.faults: list[str] = []
        self.strays: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.route("**/*", self._serve)
        page.expose_function("toPython", self._to_python)
        page.set_default_timeout(60_000)
        page.goto("http://localhost/bench")
        page.evaluate(_HARNESS)

    def _serve(self, route: Any) -> None:
        if route.request.url == "http://localhost/bench":
            route.fulfill(body=_PAGE, content_type="text/html")
        else:
            self.strays.append(route.request.url)
            route.abort()

    @staticmethod
    def _to_python(comm_id: str, method: str, text: str, buffers: list[str]) -> list[dict[str, Any]]:
        if method != "poll":
            Bridge.opened[comm_id].receive(method, json.loads(text), [base64.b64decode(b) for b in buffers])
        return [message for comm in list(Bridge.opened.values()) for message in comm.take()]

    def show(self, *widgets: Any) -> Any:
        """Put widgets on the page; of boxes, their children. Returns a locator of the first one's view."""
        shown = [w for widget in widgets for w in leaves(widget)]
        for widget in shown:
            for message in widget.comm.take():
                assert message
            state, paths, buffers = split_state(widget)
            self.page.evaluate("(a) => window.mount(...a)", [widget.model_id, state, paths, buffers])
        return self.page.locator(f"#w-{shown[0].model_id}")

    def dark(self) -> None:
        """Set JupyterLab's variables as its dark theme does."""
        self.page.add_style_tag(
            content=""":root { --jp-ui-font-color1: #ffffffde; --jp-ui-font-color2: #ffffffb3;
          --jp-layout-color1: #111; --jp-layout-color2: #333; --jp-border-color1: #616161; --jp-brand-color1: #2196f3;
          --jp-error-color1: #ef5350; } body { background: #111; color-scheme: dark; }"""
        )


def leaves(widget: Any) -> list[Any]:
    """The widgets with a front end of ours, in order."""
    if isinstance(widget, ipywidgets.Box):
        return [leaf for child in widget.children for leaf in leaves(child)]
    return [widget]


def split_state(widget: Any) -> tuple[Any, list[Any], list[str]]:
    """A widget's state as it crosses: plain values, and buffers beside them."""
    from ipywidgets.widgets.widget import _remove_buffers

    state = {k: v for k, v in widget.get_state().items() if k not in ("layout", "comm")}
    plain, paths, buffers = _remove_buffers(state)
    text = json.dumps(plain, allow_nan=False, default=lambda value: f"IPY_MODEL_{value.model_id}")
    return json.loads(text), paths, [base64.b64encode(bytes(b)).decode() for b in buffers]


@pytest.fixture
def bench(browser: Any, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """An empty page for widgets. Afterwards: no error in the console, no request, no dialog."""
    context = browser.new_context(viewport={"width": 1000, "height": 800}, permissions=["camera"])
    made = Bench(context.new_page())
    yield made
    shots = os.environ.get("WORKBENCH_SHOTS")
    if shots:
        Path(shots).mkdir(parents=True, exist_ok=True)
        made.page.screenshot(path=str(Path(shots) / f"{request.node.name}.png"), full_page=True)
    context.close()
    assert made.faults == []
    assert made.strays == []
