"""Where questions go: an address, a model and a key that is never shown."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from .. import files
from ..core import ParameterError

URL, MODEL, KEY, KEY_FILE = "WORKBENCH_PROBE_URL", "WORKBENCH_PROBE_MODEL", "OPENAI_API_KEY", "WORKBENCH_PROBE_KEY_FILE"

# Servers that check no key are given "none", "EMPTY" or "x": hiding that would change their answers.
SHORTEST = 8


class Secret:
    """A text that no representation, pickle or comparison shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the request's header."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"

    def __reduce__(self) -> str:
        raise TypeError("a secret stays in this process")

    def hidden_in(self, text: str) -> str:
        """``text`` without the secret; one of less than `SHORTEST` characters is a word like any other, and stays."""
        return text.replace(self._text, "***") if len(self._text) >= SHORTEST else text


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks the OpenAI protocol.

    Attributes:
        url: base address, ``https://host/v1``.
        model: its name there.
        key: in memory only.
    """

    url: str
    model: str
    key: Secret = field(default_factory=Secret, compare=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not _port_fits(parts):
            raise ParameterError("this is not the address of a server", given=self.url, expected="https://host/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ParameterError(
                "an address carries no key, user or query", given=f"{parts.scheme}://{parts.hostname}/...",
                do=f"put the key into {KEY} or a file named by {KEY_FILE}",
            )  # fmt: skip
        if parts.scheme == "http" and not self.loopback:
            raise ParameterError(
                "pictures and keys do not travel unencrypted", given=self.url, expected="https, or a loopback address"
            )
        if not self.model:
            raise ParameterError("name the model", do=f"set {MODEL}, or give model= (--model)")

    @property
    def host(self) -> str:
        """``host`` or ``host:port``, the name that a consent gives."""
        parts = urlsplit(self.url)
        return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else ""

    @property
    def abroad(self) -> str:
        """`host` of a server elsewhere; "" on this machine, where ports come and go."""
        return "" if self.loopback else self.host

    @property
    def loopback(self) -> bool:
        """Whether pictures stay on this machine."""
        host = urlsplit(self.url).hostname or ""
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def _port_fits(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def endpoint(url: str = "", model: str = "", *, key_file: str | Path = "") -> Endpoint:
    """An endpoint from arguments and the environment; the key comes from the environment or a file alone.

    Args:
        url: or `URL` of the environment.
        model: or `MODEL`.
        key_file: or `KEY_FILE`, else `KEY`; a loopback server needs none.

    Raises:
        ParameterError: nothing is named, the address is unsafe, or the key file cannot be read.
    """
    address = url or os.environ.get(URL, "")
    if not address:
        raise ParameterError(
            "no model server is named", do=f"give url=, set {URL}, or start one here: `workbench responder`"
        )
    named = str(key_file) or os.environ.get(KEY_FILE, "")
    key = files.read_text(named).strip() if named else os.environ.get(KEY, "")
    found = Endpoint(address.rstrip("/"), model or os.environ.get(MODEL, ""), Secret(key))
    # The key of one service is nothing that another process on this machine needs to see.
    return Endpoint(found.url, found.model) if found.loopback and not named else found
