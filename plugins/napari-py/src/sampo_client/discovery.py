"""Finds the running server: the state folder and the connection file in it (docs/connecting.md)."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Optional

from .errors_gen import NoServer

START_HINT = "start one with: sampo serve, or leave start=True so that connect() starts one"


@dataclass(frozen=True)
class ConnectionInfo:
    """What a connection file holds."""

    url: str
    token: str
    pid: int
    protocol_version: str = ""


def state_folder(
    given: Optional[os.PathLike[str] | str] = None,
    environ: Optional[Mapping[str, str]] = None,
    platform: Optional[str] = None,
    home: Optional[Path] = None,
) -> Path:
    """The state folder: the one given, else `SAMPO_STATE`, else the system's place for state."""
    environ = os.environ if environ is None else environ
    platform = sys.platform if platform is None else platform
    if given is not None:
        return Path(given).expanduser()
    if environ.get("SAMPO_STATE"):
        return Path(environ["SAMPO_STATE"])
    home = Path.home() if home is None else home
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "sampo"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "sampo"
    xdg = environ.get("XDG_STATE_HOME", "")
    return (Path(xdg) if os.path.isabs(xdg) else home / ".local" / "state") / "sampo"


def read_connection_file(folder: Path) -> ConnectionInfo:
    """The connection file of a state folder.

    Raises NoServer when there is none, when it cannot be read, or when its process is gone.
    """
    path = folder / "connection.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        info = ConnectionInfo(str(held["url"]), str(held["token"]), int(held["pid"]), str(held.get("protocolVersion", "")))
    except FileNotFoundError:
        raise NoServer(f"no server runs: there is no connection file at {path}", hint=START_HINT) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoServer(
            f"the connection file {path} cannot be read: {type(error).__name__}: {error}",
            hint="check that it belongs to you, or delete it and start the server again",
        ) from error
    if not process_exists(info.pid):
        raise NoServer(f"no server runs: process {info.pid} of {path} is gone", hint=START_HINT)
    return info


def process_exists(pid: int) -> bool:
    """Whether a process of this id runs. On Windows it is always taken to: signals would end it there."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
