"""A napari window with the panel, at the real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator

import pytest

import sampo_client
from desk import Desk, new_desk


@pytest.fixture
def desk(make_napari_viewer: Any, server_state: Path) -> Iterator[Desk]:
    """A window, and a server without intents."""
    with sampo_client.connect(server_state, start=False) as session:
        for intent in session.intents():
            session.delete(intent)
    desk = new_desk(make_napari_viewer(), {"state": server_state, "start": False})
    yield desk
    desk.widget.tool.set(False)
    desk.controller.close()
    desk.idle(0.05)
