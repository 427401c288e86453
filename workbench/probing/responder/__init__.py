"""An offline stand-in for a chat model: it speaks the OpenAI protocol and really looks at pictures.

It is not a language model and says so in every answer. It checks clients, prompts, parsers and statistics; what it
answers says nothing about any chat model. Only this machine can reach it, and no message makes it open a file or a
connection.

``GET /v1/models``, ``POST /v1/chat/completions`` (also as a stream), ``GET /health``, ``GET /counters``.
"""

from __future__ import annotations

from .counters import Counts
from .eyes import BlankEyes, Eyes, Face, cosine, similarity
from .misbehave import Misbehave
from .server import Responder, serve

__all__ = ["BlankEyes", "Counts", "Eyes", "Face", "Misbehave", "Responder", "cosine", "serve", "similarity"]
