"""What a client sent: a chat request is read here, and refused with OpenAI's own error shape."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core import ImageError, WorkbenchError
from ...files import Limits, decode_image, sha256_bytes

BODY_LIMIT = 32 << 20
IMAGE_LIMIT = 16
# Of all pictures of one request together; as RGB they take three bytes a pixel.
PIXEL_LIMIT = 64_000_000
_TYPES = {"image/jpeg": b"\xff\xd8\xff", "image/jpg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
# JSON deeper than this is nobody's question.
_DEPTH = 60


class BadRequest(WorkbenchError, ValueError):
    """A request that is answered with an error.

    Args:
        what: the message.
        status: HTTP status.
        param: which part of the request is meant.
        code: OpenAI's short name of the error.
        type: OpenAI's class of errors.
    """

    def __init__(
        self, what: str, *, status: int = 400, param: str | None = None, code: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:  # fmt: skip
        super().__init__(what)
        self.status = status
        self.param = param
        self.code = code
        self.type = type


def error_body(message: str, *, type: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """An error as OpenAI writes it."""
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        role: ``"system"``, ``"user"``, ``"assistant"`` or what else the client says.
        parts: words as text, pictures as the content of their files, in the order of the message.
    """

    role: str
    parts: tuple[str | bytes, ...]

    @property
    def words(self) -> str:
        """All text."""
        return "\n".join(p for p in self.parts if isinstance(p, str))

    @property
    def images(self) -> tuple[bytes, ...]:
        """All pictures."""
        return tuple(p for p in self.parts if isinstance(p, bytes))


@dataclass(frozen=True)
class Request:
    """A chat request that was understood.

    Attributes:
        question: words of the last user message.
        context: words of all messages, for whoever looks for a preamble.
        images: content of the picture files of that message, or of the latest earlier one that has any.
        digests: SHA-256 of each.
        schema: of the answer, or None.
        as_json: an answer in JSON is asked for.
        stream: answer by server-sent events.
        include_usage: with the usage at the end of a stream.
        most_tokens: of the answer, or None.
        logprobs: they were asked for.
        model: whom the client means.
        turns: the whole conversation.
        temperature: of sampling, or None.
        stops: a text at which the answer shall end was given.
    """

    question: str
    context: str
    images: tuple[bytes, ...]
    digests: tuple[str, ...]
    schema: Mapping[str, Any] | None = None
    as_json: bool = False
    stream: bool = False
    include_usage: bool = False
    most_tokens: int | None = None
    logprobs: bool = False
    model: str = ""
    turns: tuple[Turn, ...] = ()
    temperature: float | None = None
    stops: bool = False

    def pictures(self) -> list[NDArray[np.uint8]]:
        """The images decoded, ``uint8 (h, w, 3)``.

        Raises:
            BadRequest: one is damaged, or they have too many pixels.
        """
        return decoded(self.images)


def decoded(images: Sequence[bytes], *, pixels: int | None = None) -> list[NDArray[np.uint8]]:
    """Pictures ``uint8 (h, w, 3)`` of files' contents.

    Args:
        images: PNG or JPEG.
        pixels: of all together; None takes `PIXEL_LIMIT`.

    Raises:
        BadRequest: one is damaged, or they have too many pixels.
    """
    left, found = PIXEL_LIMIT if pixels is None else pixels, []
    for number, data in enumerate(images, 1):
        try:
            picture = decode_image(data, name=f"image {number}", limits=Limits(BODY_LIMIT, left))
        except ImageError as error:
            given = "" if error.given is None else f": {error.given}"
            raise BadRequest(f"{error.what}{given}", param="messages", code="invalid_image") from None
        left -= picture.shape[0] * picture.shape[1]
        found.append(picture)
    return found


def read_request(body: bytes, received: Callable[[str], None] = lambda digest: None) -> Request:
    """A chat request from its bytes. Nothing that a message names is opened or fetched.

    Args:
        body: of the HTTP request.
        received: told the SHA-256 of every image, also of those in a request that is refused afterwards.

    Raises:
        BadRequest: with words for the client.
    """
    given = _json(body)
    model, messages = given.get("model"), given.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadRequest("messages must be a list of at least one message", param="messages")
    turns = [_turn(m, received) for m in messages]
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", param="model")
    said = [t for t in turns if t.role == "user"]
    if not said:
        raise BadRequest("there is no user message", param="messages")
    images = next((t.images for t in reversed(said) if t.images), ())
    if sum(len(t.images) for t in turns) > IMAGE_LIMIT:
        raise BadRequest(f"a request may hold at most {IMAGE_LIMIT} images", param="messages", code="too_many_images")
    as_json, schema = _format(given.get("response_format"))
    return Request(
        said[-1].words,
        "\n".join(t.words for t in turns),
        images,
        tuple(sha256_bytes(i) for i in images),
        schema,
        as_json,
        model=model,
        turns=tuple(turns),
        **_options(given),
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON", code="invalid_json") from None
    if not isinstance(given, dict):
        raise BadRequest("the body is not a JSON object", code="invalid_json")
    return given


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    if given.get("n") not in (None, 1):
        raise BadRequest("the responder gives one choice only", param="n")
    if given.get("tools") or given.get("functions"):
        raise BadRequest("the responder calls no tools", param="tools")
    stream = given.get("stream") or False
    options = given.get("stream_options") or {}
    if not isinstance(stream, bool) or not isinstance(options, dict):
        raise BadRequest("stream must be true or false, stream_options an object", param="stream")
    if options and not stream:
        raise BadRequest("stream_options go with stream only", param="stream_options")
    most = given.get("max_completion_tokens")
    most = given.get("max_tokens") if most is None else most
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise BadRequest("max_tokens must be a whole number above 0", param="max_tokens")
    warm = given.get("temperature")
    if warm is not None and (not isinstance(warm, int | float) or isinstance(warm, bool) or not 0 <= warm <= 2):
        raise BadRequest("temperature must be a number from 0 to 2", param="temperature")
    return {"stream": stream, "include_usage": bool(options.get("include_usage")), "most_tokens": most,
            "logprobs": bool(given.get("logprobs")), "temperature": warm, "stops": bool(given.get("stop"))}  # fmt: skip


def _format(given: object) -> tuple[bool, Mapping[str, Any] | None]:
    where = "response_format"
    if given is None:
        return False, None
    kind = given.get("type") if isinstance(given, dict) else None
    if kind in ("text", "json_object"):
        return kind == "json_object", None
    if kind != "json_schema" or not isinstance(given, dict):
        raise BadRequest("response_format must be text, json_object or json_schema", param=where)
    inner = given.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if not isinstance(schema, dict):
        raise BadRequest("json_schema needs a schema", param=where)
    if _depth(schema) > _DEPTH:
        raise BadRequest("the schema is nested too deeply", param=where)
    return True, schema


def _depth(value: object) -> int:
    inner: Sequence[object] = (
        list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return 1 + max(map(_depth, inner), default=0)


def _turn(message: Mapping[str, Any], received: Callable[[str], None]) -> Turn:
    content, role = message.get("content"), message.get("role")
    role = role if isinstance(role, str) else ""
    if content is None or isinstance(content, str):
        return Turn(role, (content,) if content else ())
    if not isinstance(content, list):
        raise BadRequest("a message's content must be text or a list of parts", param="messages")
    parts: list[str | bytes] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and isinstance(part.get("text"), str):
            parts.append(part["text"])
        elif kind == "image_url" and isinstance(part.get("image_url"), dict):
            parts.append(_image(part["image_url"].get("url"), received))
        else:
            raise BadRequest(f"a part of kind {kind!r} is not understood: text and image_url are", param="messages")
    return Turn(role, tuple(parts))


def _image(url: object, received: Callable[[str], None]) -> bytes:
    if not isinstance(url, str) or not url.startswith("data:"):
        raise BadRequest(
            "an image must come as a data: URL; the responder opens no files and fetches nothing",
            param="messages", code="invalid_image_url",
        )  # fmt: skip
    head, comma, text = url[5:].partition(",")
    kind, _, coding = head.partition(";")
    try:
        data = base64.b64decode(text, validate=True) if comma and coding == "base64" else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise BadRequest("an image's data: URL must be whole base64", param="messages", code="invalid_image_url")
    received(sha256_bytes(data))
    if kind not in _TYPES or not data.startswith(_TYPES[kind]):
        raise BadRequest(
            f"an image must be JPEG or PNG and say which it is; this one says {kind[:40]!r}",
            param="messages", code="invalid_image_format",
        )  # fmt: skip
    return data
