"""From nothing to an initialized connection: find the server or start one, connect, say hello."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from .array_image import ArrayImage
from .binary_frame import encode_pixels
from .connection import Connection
from .discovery import read_connection_file, state_folder
from .errors import ImageProblem
from .errors_gen import ConnectionRefused, NoServer
from .server_process import ServerProcess, start_server
from .version import PROTOCOL_VERSION, VERSION

#: A server that has just been started by somebody else needs a moment to write its connection file, s.
START_PATIENCE = 10.0


def reach(
    state: Optional[os.PathLike[str] | str], start: bool, roots: Optional[Sequence[os.PathLike[str] | str]], timeout: float, arguments: Sequence[str] = ()
) -> tuple[Connection, Optional[ServerProcess]]:
    """Connects to the server of the state folder, starting one when there is none and `start` is true.

    Raises NoServer, ConnectionRefused, TokenRefused, Busy.
    """
    folder = state_folder(state)
    try:
        return Connection.open(read_connection_file(folder), timeout), None
    except (NoServer, ConnectionRefused):
        if not start:
            raise
    try:
        started: Optional[ServerProcess] = start_server(folder, [Path.cwd()] if roots is None else roots, arguments=arguments)
    except NoServer as error:
        # Two programs may start one at the same time: the second finds the folder taken.
        connection = _other_server(folder, timeout)
        if connection is None:
            raise error
        return connection, None
    return Connection.open(read_connection_file(folder), timeout), started


def _other_server(folder: Path, timeout: float) -> Optional[Connection]:
    end = time.monotonic() + START_PATIENCE
    while time.monotonic() < end:
        try:
            return Connection.open(read_connection_file(folder), timeout)
        except NoServer as error:
            if "connection file" in error.message and "is no" in error.message:
                return None
        except ConnectionRefused:
            pass
        time.sleep(0.2)
    return None


def initialize(connection: Connection, name: str) -> Mapping[str, Any]:
    """Says hello; the answer has versions, methods, limits and the device. Raises VersionMismatch."""
    answer = connection.request(
        "initialize",
        {"protocolVersion": PROTOCOL_VERSION, "client": {"name": name, "version": VERSION}, "capabilities": {"readRegion": True, "publish": True}},
    ).result()
    connection.notify("initialized", {})
    return answer


class RegionAnswers:
    """Answers image/readRegion from the images of a session: raw pixels in a binary frame before the answer."""

    def __init__(self, sources: Mapping[str, ArrayImage]) -> None:
        self._sources = sources
        self._count = 0

    def __call__(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        source = self._sources.get(params["uri"])
        if source is None:
            raise ImageProblem(f"{params['uri']} is not open here any more")
        pixels = source.read(params["x"], params["y"], params["width"], params["height"], params["downsample"])
        self._count += 1
        # The counter alone would do, were it not shared by threads.
        blob = f"region-{self._count}-{id(pixels)}"
        return {"blob": blob}, encode_pixels(blob, pixels)
