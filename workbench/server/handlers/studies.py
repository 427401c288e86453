"""Studies: the list, their pages, run forms, checks, and copies of their notebooks."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from .. import notebooks
from .base import Handler


class Studies(Handler):
    """All studies."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        self.answer(await self.work(self.extension.desk.studies))


class Study(Handler):
    """One study."""

    @authenticated
    @authorized
    async def get(self, study: str) -> None:
        """Its page."""
        self.answer(await self.work(self.extension.desk.page, study))


class Schema(Handler):
    """The run form of a study."""

    @authenticated
    @authorized
    async def get(self, study: str) -> None:
        """Its fields."""
        self.answer(await self.work(self.extension.desk.schema, study))


class Check(Handler):
    """Parameters before a run."""

    @authenticated
    @authorized
    async def post(self, study: str) -> None:
        """Whether they fit; nothing starts."""
        given = self.parameters(self.body(("parameters",)))
        self.answer(await self.work(self.extension.desk.check, study, given))


class Open(Handler):
    """The notebook of a study."""

    @authenticated
    @authorized
    async def post(self, study: str) -> None:
        """Copy it into the user's folder, or find the copy that is there."""
        fresh = self.body(("fresh",)).get("fresh", False)
        if not isinstance(fresh, bool):
            raise HTTPError(400, "fresh is true or false")
        entry = await self.work(self.extension.desk.catalogue.entry, study)
        notebook = await self.work(notebooks.shipped, entry)
        path, state = await notebooks.place(
            self.contents_manager, self.extension.notebooks_folder, entry, notebook, fresh=fresh
        )
        self.answer({"path": path, "state": state})


class Board(Handler):
    """All verdicts."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The state of every study."""
        self.answer(await self.work(self.extension.desk.board))
