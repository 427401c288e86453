"""One question, one call: through the openai package, with limits of our own on time, size and place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

import httpx2 as httpx
import openai

from . import manners
from .endpoint import Endpoint
from .failures import Failure, of_status
from .question import Question, Settings

MOST_BYTES = 4 << 20
# Of a server's own words in an error.
_CHARACTERS = 300


@dataclass(frozen=True)
class Reply:
    """What a model said.

    Attributes:
        text: of the answer; "" where it declined.
        declined: the server's or the model's own words for not answering, or "".
        given, written: tokens, None where the server does not say.
        model, fingerprint: what the server says that it is.
        cut: whether the answer ended at the limit of tokens.
        logprobs: as the server gives them, or None.
        without: settings that the server does not have, and that were not sent.
    """

    text: str
    declined: str = ""
    given: int | None = None
    written: int | None = None
    model: str = ""
    fingerprint: str = ""
    cut: bool = False
    logprobs: Any = None
    without: tuple[str, ...] = ()


class Client:
    """Asks an endpoint; the library's own retries and redirects are off.

    What the server says that it does not have, a seed or a schema, it is not sent again.

    Args:
        endpoint: whom.
        deadline: seconds for a call from start to end.
        most_bytes: of a reply.
    """

    def __init__(self, endpoint: Endpoint, *, deadline: float = 60.0, most_bytes: int = MOST_BYTES) -> None:
        self.endpoint = endpoint
        self.deadline = deadline
        self._lacking: set[str] = set()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(
            transport=_Bounded(httpx.AsyncHTTPTransport(limits=limits), most_bytes),
            follow_redirects=False,
            timeout=None,
        )
        self._openai = openai.AsyncOpenAI(
            base_url=endpoint.url, api_key=endpoint.key.reveal() or "none", max_retries=0, http_client=self._http
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._openai.close()

    async def ask(self, question: Question, settings: Settings) -> Reply:
        """The model's reply.

        Raises:
            Failure: there is none.
        """
        try:
            async with asyncio.timeout(self.deadline):
                # Not `chat.completions.create`, which walks through every message to look for what it may rename.
                whole = _body(question, settings, self.endpoint.model)
                body = manners.allowed(whole, self._lacking)
                reply = await self._openai.post("/chat/completions", cast_to=httpx.Response, body=body)
        except TimeoutError:
            raise Failure("timeout", f"no whole reply within {self.deadline:g} s") from None
        except openai.APIStatusError as error:
            found = self._declined(error.response, body)
        except (openai.APIError, httpx.HTTPError, ValueError) as error:
            raise self._failed(error) from None
        else:
            found = self._reply(reply)
        return replace(found, without=tuple(sorted(whole.keys() - body.keys() - {"max_tokens"})))

    def _declined(self, response: httpx.Response, body: Mapping[str, Any]) -> Reply:
        """A refusal that came as an error; every other error is raised."""
        words = self._clean(response.text)
        said = _json(response)
        if refusal := manners.declined(response.status_code, said):
            return Reply("", declined=self._fit(refusal))
        part = manners.refused_part(response.status_code, said, response.text, body)
        if part:
            self._lacking.add(part)
            raise Failure("unsupported", f"HTTP {response.status_code} {words}: asked again without {part}")
        raise of_status(response.status_code, words, response.headers)

    def _failed(self, error: BaseException) -> Failure:
        cause: BaseException | None = error
        deepest = error
        while cause is not None:
            deepest = cause
            if isinstance(cause, Failure):
                return cause
            if isinstance(cause, httpx.TimeoutException):
                return Failure("timeout", type(cause).__name__)
            cause = cause.__cause__ or cause.__context__
        # The library says "Connection error." whatever it was: a name that is unknown, a port where nobody is, TLS.
        return Failure("connection", self._clean(f"{type(deepest).__name__}: {deepest}"))

    def _clean(self, text: str) -> str:
        # Hidden first: a key that were cut would not be found.
        return self.endpoint.key.hidden_in(" ".join(text.split()))[:_CHARACTERS]

    def _reply(self, response: httpx.Response) -> Reply:
        if response.status_code != 200:
            raise of_status(response.status_code, self._clean(response.text), response.headers)
        try:
            body = json.loads(response.content)
        except (ValueError, RecursionError):
            kind = response.headers.get("content-type", "")
            raise Failure("unreadable", self._clean(f"the reply ({kind}) is no JSON: {response.text}")) from None
        found = read_reply(body)
        if found is None:
            raise Failure("unreadable", self._clean(f"no choice in the reply: {response.text}"))
        return replace(
            found, text=self._fit(found.text), declined=self._fit(found.declined), model=self._fit(found.model),
            fingerprint=self._fit(found.fingerprint),
            logprobs=None if found.logprobs is None else json.loads(self._fit(json.dumps(found.logprobs))),
        )  # fmt: skip

    def _fit(self, text: str) -> str:
        """A server's words as they can be kept: without the key, which a server may say back, or lone surrogates."""
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self.endpoint.key.hidden_in(whole)


def read_reply(body: Any) -> Reply | None:
    """A completion's JSON as a reply; None where it holds no answer and no refusal."""
    if not isinstance(body, Mapping):
        return None
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    if not isinstance(first, Mapping) or not isinstance(message, Mapping):
        return None
    content, refusal, finish = _words(message.get("content")), message.get("refusal"), first.get("finish_reason")
    if content is None and finish == "length":
        # All tokens went into thoughts: an answer that says nothing, and asking again would cost the same.
        content = ""
    declined = refusal if isinstance(refusal, str) else ""
    if finish == "content_filter" and not declined:
        declined = "stopped by the server's filter"
    if not declined and content is None:
        return None
    usage = body.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    return Reply(
        text="" if declined else content or "", declined=declined, given=_count(usage.get("prompt_tokens")),
        written=_count(usage.get("completion_tokens")), model=_text(body.get("model")),
        fingerprint=_text(body.get("system_fingerprint")), cut=finish == "length", logprobs=first.get("logprobs"),
    )  # fmt: skip


def _words(content: Any) -> str | None:
    """Text as it is, or the text parts of a list of parts; None where there is none."""
    if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        texts = [part.get("text") for part in content if part.get("type") == "text"]
        content = "".join(texts) if texts and all(isinstance(t, str) for t in texts) else None
    return content if isinstance(content, str) else None


def _json(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""


def _body(question: Question, settings: Settings, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": question.prompt.messages([p.url for p in question.pictures]),
        "max_tokens": settings.most_tokens,
    }
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.seed is not None:
        body["seed"] = settings.seed
    if settings.logprobs:
        body["logprobs"] = True
    if settings.structured:
        schema = {"name": "answer", "strict": True, "schema": question.prompt.kind.schema()}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


class _Bounded(httpx.AsyncBaseTransport):
    """A transport whose replies end with an error where they grow too large."""

    def __init__(self, inner: httpx.AsyncBaseTransport, most: int) -> None:
        self._inner = inner
        self._most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        response.stream = _Counted(response.stream, self._most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx.AsyncByteStream):
    def __init__(self, inner: Any, most: int) -> None:
        self._inner = inner
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for part in self._inner:
            left -= len(part)
            if left < 0:
                raise Failure("too large", f"the reply is longer than {self._most} bytes")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()
