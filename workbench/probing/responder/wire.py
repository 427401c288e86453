"""Replies as OpenAI writes them: one completion, or the events of a stream."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from ...files import sha256_bytes
from .answer import Reply

RUBBISH = "\ud800\u202e\u0000\ufffd\u200b\U0001d51c\U0001d522\U0001d530 \u0661\u0662 \ufeff\udfff{[\u2028"


def spoiled(reply: Reply, fault: str) -> Reply:
    """A reply with one of the faults of its content, or the same reply."""
    content = reply.content or reply.refusal or ""
    changes: dict[str, dict[str, Any]] = {
        "no-choices": {"choices": False},
        "null": {"content": None, "refusal": None},
        "rubbish": {"content": RUBBISH, "refusal": None},
        "length": {"content": content[: len(content) // 2], "refusal": None, "finish": "length"},
        "filter": {"content": "", "refusal": None, "finish": "content_filter"},
        "refusal": {"content": None, "refusal": "I'm sorry, but I can't help with that."},
    }
    return dataclasses.replace(reply, **changes.get(fault, {}))


def name_of(reply: Reply, number: int) -> str:
    """An id that depends on the reply and the request's number."""
    return "chatcmpl-" + sha256_bytes(f"{number} {reply!r}".encode("utf-8", "surrogatepass"))[:29]


def _usage(reply: Reply) -> dict[str, int]:
    sent, made = reply.prompt_tokens, reply.completion_tokens
    return {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}


def _head(reply: Reply, number: int, kind: str, created: int) -> dict[str, Any]:
    return {"id": name_of(reply, number), "object": kind, "created": created, "model": reply.model,
            "system_fingerprint": reply.fingerprint}  # fmt: skip


def _note(reply: Reply) -> dict[str, str]:
    return {"note": reply.note} if reply.note else {}


def completion(reply: Reply, number: int, created: int) -> bytes:
    """A reply in one piece."""
    message = {"role": "assistant", "content": reply.content, "refusal": reply.refusal, **_note(reply)}
    choice = {"index": 0, "message": message, "logprobs": _logprobs(reply), "finish_reason": reply.finish}
    head = _head(reply, number, "chat.completion", created)
    return _text({**head, "choices": [choice] if reply.choices else [], "usage": _usage(reply)})


def events(reply: Reply, number: int, created: int, *, include_usage: bool) -> list[bytes]:
    """A reply as the events of a stream, a word at a time."""
    head = _head(reply, number, "chat.completion.chunk", created)
    field = "content" if reply.refusal is None else "refusal"
    deltas: list[tuple[dict[str, Any], str | None]] = [
        (
            {"role": "assistant", "content": "" if field == "content" else None, "refusal": None, **_note(reply)},
            None,
        )
    ]
    said = reply.content if field == "content" else reply.refusal
    deltas += [({field: piece}, None) for piece in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", said or "")]
    deltas.append(({}, reply.finish))
    usage: dict[str, Any] = {"usage": None} if include_usage else {}
    # All log-probabilities come with the first event: words of a stream are not the model's tokens.
    first = _logprobs(reply)
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None if at else first, "finish_reason": finish}],
         **usage}
        for at, (delta, finish) in enumerate(deltas)
    ]  # fmt: skip
    if not reply.choices:
        chunks = [{**head, "choices": [], **usage}]
    if include_usage:
        chunks.append({**head, "choices": [], "usage": _usage(reply)})
    return [b"data: " + _text(chunk) + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def _logprobs(reply: Reply) -> dict[str, Any] | None:
    if reply.logprobs is None:
        return None
    rest: dict[str, Any] = {"bytes": None, "top_logprobs": []}
    return {"content": [{"token": t, "logprob": p, **rest} for t, p in reply.logprobs], "refusal": None}


def _text(value: object) -> bytes:
    # ASCII only: a lone surrogate has no UTF-8, and is sent as an escape.
    return json.dumps(value).encode("ascii")
