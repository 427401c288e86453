"""openapi.json is what is served: every route in it is there, and every answer is of the shape that it states."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from workbench.runs import alive, journal
from workbench.runs.home import run_folder
from workbench.server import app
from workbench.server.handlers import ROUTES, Handler
from workbench.server.handlers.machine import OPENAPI

DOCUMENT: dict[str, Any] = json.loads(OPENAPI.read_text())
REGISTRY: Any = Registry().with_resource(
    "urn:document", Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **DOCUMENT})
)
ENDED = "0123456789ab"


def absolute(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {k: f"urn:document{v}" if k == "$ref" else absolute(v) for k, v in thing.items()}
    return [absolute(v) for v in thing] if isinstance(thing, list) else thing


def resolve(thing: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in thing:
        found: Any = DOCUMENT
        for part in thing["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        thing = found
    return thing


def check(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(absolute(schema), registry=REGISTRY).validate(value)


def answered(path: str, verb: str, response: Any) -> Any:
    """The body of a response, checked against what the document states for its status and type."""
    stated = DOCUMENT["paths"][path][verb.lower()]["responses"]
    assert str(response.code) in stated, (path, verb, response.code, response.body)
    content = resolve(stated[str(response.code)])["content"]
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, (path, verb, kind)
    if not kind.endswith("json"):
        return response.body
    body = json.loads(response.body)
    check(body, content[kind]["schema"])
    return body


def test_the_document_and_the_handlers_name_the_same_verbs() -> None:
    stated = {(path, verb) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    served = {
        (path, verb)
        for path, handler in ROUTES
        for verb in ("get", "post", "put", "patch", "delete")
        if getattr(handler, verb) is not getattr(Handler, verb)
    }
    assert stated == served
    for path, verbs in DOCUMENT["paths"].items():
        for verb in verbs.values():
            places = {p["name"] for p in verb.get("parameters", []) if p["in"] == "path"}
            assert places == set(re.findall(r"{(\w+)}", path))


def test_every_example_is_of_its_own_shape() -> None:
    seen = 0

    def walk(thing: Any) -> None:
        nonlocal seen
        if isinstance(thing, dict):
            if "schema" in thing and "example" in thing:
                check(thing["example"], thing["schema"])
                seen += 1
            for value in thing.values():
                walk(value)
        elif isinstance(thing, list):
            for value in thing:
                walk(value)

    walk(DOCUMENT)
    assert seen >= 26
    check(DOCUMENT["components"]["schemas"]["JobEvent"]["examples"][0], {"$ref": "#/components/schemas/JobEvent"})


def test_a_wrong_answer_would_be_noticed() -> None:
    example = DOCUMENT["paths"]["/jobs/{job}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    for wrong in (
        {**example, "state": "dead"},
        {**example, "more": 1},
        {k: v for k, v in example.items() if k != "id"},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check(wrong, {"$ref": "#/components/schemas/Job"})


async def test_every_answer_is_of_the_stated_shape(ask: Any, make: SimpleNamespace, extension: Any, home: Path) -> None:
    make.run()
    make.run("abcdefabcdef", value=0.3, answer="refuted")
    failed = run_folder("saliency", "dddddddddddd")
    journal.write(failed, "started")
    journal.write(failed, "failed", cell=3, why="ZeroDivisionError: division by zero")
    queue = extension.desk.queue

    async def told(path: str, verb: str = "GET", body: Any = None, query: str = "", **filled: object) -> Any:
        return answered(path, verb, await ask(path.format(study="saliency", **filled) + query, verb, body))

    for path in (
        "/studies",
        "/studies/{study}",
        "/studies/{study}/schema",
        "/runs",
        "/board",
        "/status",
        "/openapi.json",
    ):
        await told(path)
    assert (await told("/studies/{study}/check", "POST", {"parameters": {"pairs": 5}}))["ok"]
    assert not (await told("/studies/{study}/check", "POST", {"parameters": {"pairs": "x", "sead": 1}}))["ok"]
    await told("/studies/{study}/check", "POST", "[]")
    await told("/studies/{study}/open", "POST", {})
    for run in (ENDED, "dddddddddddd", "000000000000"):
        await told("/runs/{study}/{run}", run=run)
        await told("/runs/{study}/{run}/report", run=run)
        await told("/runs/{study}/{run}/figures/{figure}", run=run, figure="1-1.png")
    for kind in ("json", "csv", "markdown"):
        await told("/compare", query=f"?run=saliency/{ENDED}&run=saliency/abcdefabcdef&format={kind}")
    await told("/compare", query="?run=saliency/x")
    await told("/compare", query="?run=saliency/x&run=saliency/y")

    # A job in each of its states, made as workers make them.
    assert (await told("/jobs", "POST", {"study": "saliency", "parameters": {"seed": 1}}))["state"] == "queued"
    await told("/jobs", "POST", {"study": "saliency", "parameters": {"sead": 1}})
    await told("/jobs", "POST", {"study": "nothing"})
    extension.desk.queue_limit = 1
    assert (await ask("/jobs", "POST", {"study": "saliency"})).code == 429
    await told("/jobs", "POST", {"study": "saliency"})
    extension.desk.queue_limit = 9
    job, token = queue.claim({"cpu": 1})
    queue.start(job.id, token, os.getpid())
    queue.begin(job.id, os.getpid(), ENDED)
    queue.tell(
        job.id, os.getpid(), {"fraction": 0.5, "cell": 3, "cells": 6, "step": "faces", "steps_done": 1, "line": "x"}
    )
    await told("/jobs/{job}/restart", "POST", job=1)
    await told("/status")
    for path in ("/jobs", "/jobs/{job}", "/jobs/{job}/log", "/studies", "/board"):
        await told(path, job=1)
    await told("/jobs/{job}", job=99)
    await told("/runs/{study}/{run}", "DELETE", run=ENDED)
    queue.finish(1, os.getpid(), alive.birth(os.getpid()), "failed", reason="r", problem={"what": "w", "given": "g"})
    for path in ("/jobs/{job}", "/jobs/{job}/log"):
        await told(path, job=1)
    await told("/jobs/{job}", "DELETE", job=1)
    assert (await told("/jobs/{job}/restart", "POST", job=1))["restarted_from"] == 1
    assert (await told("/jobs/{job}", "DELETE", job=2))["state"] == "cancelled"
    await told("/jobs", query="?since=0&limit=1")
    await told("/jobs", query="?since=x")
    assert (await told("/runs/{study}/{run}", "DELETE", run=ENDED))["jobs"] == [1]
    _, events = extension.desk.tick(0)
    assert events
    for event in events:
        check(event, {"$ref": "#/components/schemas/JobEvent"})


async def test_every_refusal_is_a_problem_document(ask: Any) -> None:
    for path, verb, body in (("/jobs", "POST", "[]"), ("/jobs/7", "GET", None), ("/x", "GET", None)):
        problem = json.loads((await ask(path, verb, body)).body)
        check(problem, {"$ref": "#/components/schemas/Problem"})


def test_the_event_says_what_the_document_says() -> None:
    assert set(app._SCHEMA["properties"]) == set(DOCUMENT["components"]["schemas"]["JobEvent"]["properties"])
    assert DOCUMENT["paths"]["/jobs"]["get"]["description"].count(app.EVENT) == 1
