"""Who may not, may not: generated from the list of handlers, so that a new one without a guard fails here.

The attacks are those of Jupyter's own tests: CVE-2026-5422 and CVE-2026-35397 (containment by prefix),
CVE-2026-40110 (look-alike origins), missing XSRF tokens.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.server.handlers import ROUTES, Handler, handlers
from workbench.server.handlers.machine import Missing

VERBS = ("get", "post", "put", "patch", "delete")
FILLED = {"study": "saliency", "run": "0123456789ab", "job": "1", "figure": "1-1.png"}
OURS = [
    (path.format(**FILLED), verb.upper())
    for path, handler in [*ROUTES, ("/whatever", Missing)]
    for verb in VERBS
    if getattr(handler, verb) is not getattr(Handler, verb)
]
READS = [path for path, verb in OURS if verb == "GET"]
WRITES = [(path, verb) for path, verb in OURS if verb != "GET"]


def test_the_list_of_handlers_is_the_list_that_is_served() -> None:
    # One more is served than written down: the one that says that there is nothing.
    assert len(handlers()) == len(ROUTES) + 1
    assert len(OURS) == 20 + 5


async def test_nothing_is_answered_without_a_token_or_with_a_wrong_one(ask: Any) -> None:
    for headers in ({}, {"Authorization": "token wrong"}):
        for path, verb in OURS:
            response = await ask(path, verb, headers=headers)
            assert (response.code, response.headers["Content-Type"]) == (403, "application/problem+json"), (path, verb)
            assert set(json.loads(response.body)) == {"type", "title", "status", "detail"}


async def test_nothing_is_done_for_whom_the_authorizer_refuses(
    ask: Any, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def refuse(handler: Any, user: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", refuse)
    for path, verb in OURS:
        asked.clear()
        assert (await ask(path, verb)).code == 403, (path, verb)
        assert asked == [("read" if verb == "GET" else "write", "workbench")], (path, verb)


class Browser:
    """What a browser sends that has logged in: a cookie, and the XSRF token that another cookie holds."""

    def __init__(self, cookies: list[str]) -> None:
        pairs = [c.partition(";")[0] for c in cookies]
        self.cookie = "; ".join(pairs)
        self.xsrf = next(p.partition("=")[2] for p in pairs if p.startswith("_xsrf="))


@pytest.fixture
def browser(jp_serverapp: Any, http_server_client: Any, jp_base_url: str, io_loop: Any) -> Browser:
    """Logs in by the token in the address, as the link that the server prints does."""
    token = jp_serverapp.identity_provider.token

    async def log_in() -> list[str]:
        form = await http_server_client.fetch(f"{jp_base_url}login")
        page = await http_server_client.fetch(f"{jp_base_url}api/contents?token={token}")
        return [*form.headers.get_list("Set-Cookie"), *page.headers.get_list("Set-Cookie")]

    return Browser(io_loop.asyncio_loop.run_until_complete(log_in()))


async def test_a_browser_with_its_cookie_reads_and_with_its_xsrf_token_writes(ask: Any, browser: Browser) -> None:
    assert (await ask("/studies", headers={"Cookie": browser.cookie})).code == 200
    headers = {"Cookie": browser.cookie, "X-XSRFToken": browser.xsrf}
    assert (await ask("/studies/saliency/check", "POST", {"parameters": {}}, headers)).code == 200
    # Its own origin is no foreign one.
    port = ask.port
    assert (await ask("/studies", headers={**headers, "Origin": f"http://127.0.0.1:{port}"})).code == 200


async def test_a_cookie_without_xsrf_token_changes_nothing(ask: Any, browser: Browser) -> None:
    version, mask, token, stamp = browser.xsrf.split("|")
    forged = "|".join((version, mask, token[:-1] + ("1" if token[-1] == "0" else "0"), stamp))
    for headers in ({"Cookie": browser.cookie}, {"Cookie": browser.cookie, "X-XSRFToken": forged}):
        for path, verb in WRITES:
            assert (await ask(path, verb, headers=headers)).code == 403, (path, verb, headers)


ORIGINS = ["http://evil.example", "http://127.0.0.1.evil.example", "null", "http://localhost:1", "http://127.0.0.1"]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_foreign_origin_sees_nothing(ask: Any, browser: Browser, origin: str) -> None:
    headers = {"Cookie": browser.cookie, "X-XSRFToken": browser.xsrf, "Origin": origin}
    for path, verb in OURS:
        response = await ask(path, verb, headers=headers)
        assert (response.code, json.loads(response.body)["title"]) == (404, "Not found"), (path, verb)


async def test_a_foreign_host_is_refused(ask: Any, jp_auth_header: dict[str, str]) -> None:
    for path, verb in OURS:
        assert (await ask(path, verb, headers={**jp_auth_header, "Host": "evil.example"})).code == 403, (path, verb)


TRICKS = [
    "..", ".", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2fsecret", "....//", "~root", "%00", "saliency%00",
    "saliency%0a", "a" * 129, "%ff%fe", "%c0%ae%c0%ae", "saliency%2f..%2fsecret", "-rf", "saliency;ls", "sal iency",
    "%5c..%5csecret", "CON", "aux", "nul.", "__pycache__",
]  # fmt: skip


async def test_a_path_trick_is_as_absent_as_anything(ask: Any, make: SimpleNamespace) -> None:
    make.run()
    absent = await ask("/nothing/here")
    assert absent.headers["Content-Type"] == "application/problem+json"
    for path, name, trick in [(p, n, t) for p, _ in ROUTES for n in re.findall(r"{(\w+)}", p) for t in TRICKS]:
        verb = "POST" if path.endswith(("check", "open", "restart")) else "GET"
        response = await ask(path.format(**FILLED | {name: trick.replace(" ", "%20")}), verb)
        assert (response.code, response.body) == (404, absent.body), (path, name, trick)


async def test_a_sibling_with_the_same_beginning_and_a_link_out_are_absent(
    ask: Any, home: Path, make: SimpleNamespace, tmp_path: Path
) -> None:
    folder = make.run()
    outside = tmp_path / "outside" / "saliency" / "fedcba987654"
    outside.parent.mkdir(parents=True)
    (home / "runs-other").symlink_to(tmp_path / "outside")
    folder.rename(outside)
    (home / "runs" / "saliency" / "fedcba987654").symlink_to(outside)
    (home / "runs" / "linked").symlink_to(tmp_path / "outside" / "saliency")
    for path in ("/runs/saliency/fedcba987654", "/runs/linked/fedcba987654", "/runs/saliency/fedcba987654/report"):
        assert (await ask(path)).code == 404, path
    assert (await ask("/runs/saliency/fedcba987654", "DELETE")).code == 404
    assert (outside / "result.json").exists()


async def test_a_report_that_is_a_link_is_absent(ask: Any, make: SimpleNamespace, tmp_path: Path) -> None:
    folder = make.run()
    (tmp_path / "secret.html").write_text("secret")
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(tmp_path / "secret.html")
    assert (await ask("/runs/saliency/0123456789ab/report")).code == 404


BODIES = [
    "[]", "[1]", "7", "null", '"x"', "{", "", "{'a': 1}", '{"study": NaN}', '{"study": "saliency", "parameters": []}',
    '{"study": "saliency", "parameters": {"seed": NaN}}', '{"study": "saliency", "parameters": {"seed": 1e999}}',
    '{"study": "saliency", "parameters": {"seed": -Infinity}}', '{"study": ["saliency"]}', '{"study": {"a": 1}}',
    '{"study": "saliency", "else": 1}', '{"study": "\\ud800"}', b"\xff\xfe", "[" * 2000, '{"parameters": {}}',
    '{"study": ""}',
]  # fmt: skip


async def test_an_ill_shaped_body_is_a_problem_and_no_job(ask: Any, extension: Any) -> None:
    for body in BODIES:
        response = await ask("/jobs", "POST", body)
        assert (response.code, json.loads(response.body)["status"]) == (400, 400), body
        assert b"Traceback" not in response.body
        if any(mark in str(body) for mark in ("NaN", "1e999", "Infinity", "ud800", "xff", "[[")):
            assert json.loads(response.body)["detail"].startswith("the body is not strict JSON"), body
    assert extension.desk.queue.jobs() == []


PARAMETERS: list[dict[str, Any]] = [
    {"x = __import__('os').system('true') #": 1}, {"seed\nimport os": 1}, {"print": 1}, {"seed.real": 1}, {"seed": "1"},
    {"out": "/tmp"}, {"seed": [1]}, {"seed": {"a": 1}}, {"seed": True}, {"data": "x" * 5000}, {"scale": "huge"},
    {"seed": 10**40}, {"": 1}, {"{seed.__class__}": 1}, {f"p{i}": 1 for i in range(101)}, {"pairs": 1.5},
]  # fmt: skip


async def test_a_hostile_parameter_starts_nothing(ask: Any, extension: Any) -> None:
    extension.body_limit = 65536
    for parameters in PARAMETERS:
        response = await ask("/jobs", "POST", {"study": "saliency", "parameters": parameters})
        assert response.code == 400, parameters
    assert extension.desk.queue.jobs() == []


async def test_an_oversized_body_is_refused_everywhere(ask: Any) -> None:
    for path, verb in WRITES:
        response = await ask(path, verb, json.dumps({"study": "x" * 1_000_000}))
        assert response.code == 413, (path, verb)
        assert json.loads(response.body)["detail"] == "a request holds at most 4096 bytes"


QUERIES = ["since=-1", "since=x", "since=1e3", "since=%00", "limit=0", "limit=-5", "limit=%D9%A3", "state=nothing",
           "since=" + "9" * 40, "study=" + "x" * 200]  # fmt: skip


async def test_a_bad_query_is_a_problem(ask: Any) -> None:
    for query in QUERIES:
        assert (await ask(f"/jobs?{query}")).code == 400, query


async def test_a_verb_that_is_not_there_is_a_problem(ask: Any) -> None:
    response = await ask("/studies", "POST", "{}")
    assert response.code == 405
    assert json.loads(response.body)["title"] == "Not a verb of this address"


async def test_a_fault_of_ours_shows_no_traceback(ask: Any, extension: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(extension.desk, "studies", broken)
    response = await ask("/studies")
    assert response.code == 500
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body


async def test_an_answer_that_is_too_large_is_refused(ask: Any, extension: Any) -> None:
    extension.response_limit = 65536
    extension.desk.studies = lambda: {"x": "y" * 70000}
    assert (await ask("/studies")).code == 413
