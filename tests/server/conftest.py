"""A Jupyter server for each test, by pytest-jupyter's fixtures: imported here, they are known in this folder only."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403
from pytest_jupyter.pytest_tornasync import *  # noqa: F403
from tornado.httpclient import HTTPResponse

from workbench import files
from workbench.core import Estimate, Result, Undefined, Verdict
from workbench.runs import identity, journal
from workbench.runs.home import run_folder
from workbench.server.app import WorkbenchExtension
from workbench.studies import listing

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
Ask = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """No request without authentication; the queue is looked at only when a test says so."""
    return {
        "ServerApp": {"jpserver_extensions": {"workbench": True}, "allow_unauthenticated_access": False},
        "WorkbenchExtension": {"poll_seconds": 3600.0, "body_limit": 4096, "log_tail": 1024},
    }


@pytest.fixture
def extension(jp_serverapp: Any) -> WorkbenchExtension:
    """The extension inside the server."""
    (found,) = jp_serverapp.extension_manager.extension_apps["workbench"]
    assert isinstance(found, WorkbenchExtension)
    return found


@pytest.fixture
def ask(jp_serverapp: Any, http_server_client: Any, jp_auth_header: dict[str, str], jp_base_url: str) -> Ask:
    """A request below ``workbench/api`` as one types it, with the token; refusals are responses, too."""

    async def sent(
        path: str, method: str = "GET", body: Any = None, headers: Any = None, **options: Any
    ) -> HTTPResponse:
        data = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        if method in ("POST", "PUT", "PATCH") and data is None:
            data = ""
        response: HTTPResponse = await http_server_client.fetch(
            f"{jp_base_url}workbench/api{path}", method=method, body=data,
            headers=dict(jp_auth_header if headers is None else headers), request_timeout=60,
            allow_nonstandard_methods=True, follow_redirects=False, raise_error=False, **options,
        )  # fmt: skip
        return response

    sent.port = http_server_client.get_http_port()  # type: ignore[attr-defined]
    return sent


def read(response: HTTPResponse) -> Any:
    """The JSON of a response."""
    return json.loads(response.body)


def result(slug: str = "saliency", value: float = 0.4, answer: Any = "supported", version: str = "2-A") -> Result:
    """A result as a run commits it."""
    numbers = {
        "area": Estimate(value, value - 0.1, value + 0.1, "area under a curve", {"pairs": 4}, "fraction"),
        "=1+1": Estimate(Undefined("no mated trials", {"mated": 0})),
    }
    verdicts = (
        Verdict("C1", "maps are good", answer, numbers["area"], "all hold", (Verdict("C1.1", "part", answer),)),
        Verdict("C2", "a | b <script>", "not testable here", None, "needs real data"),
    )
    return Result(slug, version, {}, {"scale": "smoke", "seed": 0, "out": "x"}, numbers, verdicts,
                  environment={"python": "3.11"}, timings={"faces": 1.5}, notes=("phantom faces",))  # fmt: skip


def notebook() -> str:
    """An executed notebook with a picture."""
    code = {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1}
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": PIXEL, "text/plain": "a figure"}}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "## The pairs\n"]},
        {**code, "outputs": [{"output_type": "stream", "name": "stdout", "text": "hello"}, picture]},
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def committed(run: str = "0123456789ab", slug: str = "saliency", **of: Any) -> Path:
    """A run folder as a finished run leaves it."""
    folder = run_folder(slug, run)
    folder.mkdir(parents=True)
    files.commit_text(folder / "input.ipynb", notebook())
    files.commit_text(folder / "order.json", json.dumps({"parameters": {"scale": "smoke", "seed": 0, "out": "x"}}))
    found = listing(slug)
    kept = {"study": slug, "version": found.version, "code": identity.code_digest(found.module, found.notebook),
            "packages": identity.packages(), "machine": identity.platform.machine()}  # fmt: skip
    files.commit_text(folder / "identity.json", json.dumps(kept))
    for event, facts in (("started", {}), ("cell", {"cell": 1}), ("step-start", {"step": "faces", "seconds": 0}),
                         ("step-done", {"step": "faces", "seconds": 1.5}), ("executed", {})):  # fmt: skip
        journal.write(folder, event, **facts)
    files.commit_text(folder / "notebook.ipynb", notebook())
    files.commit_text(folder / "report.html", "<!doctype html><title>r</title><script>alert(1)</script>")
    files.commit_text(folder / "result.json", files.to_json(result(slug, **of)))
    journal.write(folder, "committed")
    return folder


@pytest.fixture
def make() -> SimpleNamespace:
    """Makers of what lies in a home folder."""
    return SimpleNamespace(run=committed, result=result, read=read)
