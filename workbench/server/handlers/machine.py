"""The machine, the interface's own description, and everything that is not there."""

from __future__ import annotations

from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from ... import files
from .base import Handler

OPENAPI = Path(__file__).parents[1] / "openapi.json"


class Status(Handler):
    """What the machine has and does."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """A reading."""
        extension = self.extension
        reading = await self.work(extension.machine.status, extension.kernels)
        self.answer(reading | {"limits": extension.desk.slots(), "works": extension.desk.works})


class OpenApi(Handler):
    """The description of this interface."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """As an OpenAPI document."""
        self.content(await self.work(files.read_bytes, OPENAPI), "application/json")


class Missing(Handler):
    """Every other address below ours: what is not there and what may not be reached look the same."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """It is not there."""
        raise HTTPError(404)

    @authenticated
    @authorized
    async def post(self) -> None:
        """It is not there."""
        raise HTTPError(404)

    @authenticated
    @authorized
    async def put(self) -> None:
        """It is not there."""
        raise HTTPError(404)

    @authenticated
    @authorized
    async def patch(self) -> None:
        """It is not there."""
        raise HTTPError(404)

    @authenticated
    @authorized
    async def delete(self) -> None:
        """It is not there."""
        raise HTTPError(404)
