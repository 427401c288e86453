"""An offline stand-in for a chat model: it speaks the OpenAI protocol and really looks at pictures.

It is not a language model and says so in every answer. It checks clients, prompts, parsers and statistics; what it
answers says nothing about any chat model. Only this machine can reach it, and no message makes it open a file or a
connection.

``GET /v1/models``, ``POST /v1/chat/completions`` (also as a stream), ``GET /health``, ``GET /counters``.
"""

from __future__ import annotations

from .answer import Answers, Reply
from .counters import Counts
from .eyes import BlankEyes, Eyes, Face, cosine, similarity
from .misbehave import Misbehave
from .request import BadRequest, Request, Turn, decoded
from .server import ChatServer, Responder, serve

__all__ = [
    "Answers", "BadRequest", "BlankEyes", "ChatServer", "Counts", "Eyes", "Face", "Misbehave", "Reply", "Request",
    "Responder", "Turn", "cosine", "decoded", "serve", "similarity",
]  # fmt: skip
