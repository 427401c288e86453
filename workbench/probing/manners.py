"""What servers of one protocol do differently: settings that some do not have, and refusals that come as errors."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

# Settings that a server may lack; without the others there is no question.
_SPARED = ("max_tokens", "temperature", "seed", "logprobs", "response_format")
_LACKS = re.compile(
    r"(?i)unsupported|not (?:yet )?support|n't support|unknown|unrecogni[sz]ed|unexpected|extra (?:inputs|fields)|"
    r"not permitted|does not (?:accept|take|have)|not (?:available|implemented)|unavailable"
)
# A schema that cannot be kept to is left out whatever the words: the answer is then read by the strict parsers.
_SCHEMA = re.compile(r"(?i)response[_ ]format|json[_ ]schema|schema")
_DECLINED = {"content_filter", "content_policy_violation", "moderation_blocked", "invalid_prompt"}


def allowed(body: Mapping[str, Any], lacking: Collection[str]) -> dict[str, Any]:
    """A request without what the server lacks; the limit of tokens goes under its newer name."""
    sent = {name: value for name, value in body.items() if name not in lacking}
    if "max_tokens" in lacking and "max_tokens" in body:
        sent["max_completion_tokens"] = body["max_tokens"]
    return sent


def refused_part(status: int, said: Any, text: str, body: Mapping[str, Any]) -> str:
    """The setting of a request that the server says it does not have; "" where it complains of something else.

    Args:
        status: of HTTP.
        said: the error's JSON, or None.
        text: the error as it came.
        body: what was sent.
    """
    if status not in (400, 404, 422, 501):
        return ""
    error = _error(said)
    named, words = str(error.get("param") or ""), str(error.get("message") or text)
    if "response_format" in body and (named.startswith("response_format") or _SCHEMA.search(words)):
        return "response_format"
    if not (_LACKS.search(words) or str(error.get("code")).startswith("unsupported")):
        return ""
    sent = [name for name in _SPARED if name in body]
    return named if named in sent else next((n for n in sent if re.search(rf"\b{n}\b", words)), "")


def declined(status: int, said: Any) -> str:
    """A server's words where the error means that its filter declined the question; else ""."""
    error = _error(said)
    metadata = error.get("metadata")
    flagged = isinstance(metadata, Mapping) and "flagged_input" in metadata
    if status in (400, 403) and (flagged or error.get("code") in _DECLINED):
        return str(error.get("message") or "stopped by the server's filter")
    return ""


def _error(said: Any) -> Mapping[str, Any]:
    error = said.get("error") if isinstance(said, Mapping) else None
    return error if isinstance(error, Mapping) else {}
