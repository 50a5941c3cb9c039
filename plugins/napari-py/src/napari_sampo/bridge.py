"""The plugin's session with the server: found or started when it is first needed, and again after it was lost."""

from __future__ import annotations

import threading
from typing import Any, Callable, Optional

import sampo_client
from sampo_client import Session


class Bridge:
    """Thread-safe. `session()` may take seconds: call it on a worker thread."""

    def __init__(self, on_publish: Callable[[Any], None], on_change: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._session: Optional[Session] = None
        self._on_publish, self._on_change = on_publish, on_change
        #: For tests and for servers of one's own: arguments of sampo_client.connect.
        self.options: dict[str, Any] = {"roots": []}

    @property
    def live(self) -> Optional[Session]:
        """The session, when there is one that is not lost."""
        session = self._session
        return session if session is not None and not session.closed else None

    def session(self) -> Session:
        """The live session; connects, or starts a server, when there is none. Raises SampoError."""
        with self._lock:
            session = self.live
            if session is not None:
                return session
            self._session = session = sampo_client.connect(name="napari-sampo", **self.options)
            session.on_publish(self._on_publish)
            session.connection.on_close = lambda _: self._on_change()
        self._on_change()
        return session

    def close(self) -> None:
        """Ends the session; a server it has started ends too, unless another viewer uses it."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.connection.on_close = None
            session.close()

    def describe(self) -> str:
        """One line on the state of the connection."""
        session = self.live
        if session is None:
            return "Not connected. The server is started with the first search." if self._session is None else "The server has gone. It is started again with the next search."
        server, device = session.hello["server"], session.hello["device"]["used"]
        return f"Connected: SAMPO {server['version']} on {device.upper() if device == 'cpu' else device}"
