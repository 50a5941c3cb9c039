"""Starts a server when none runs."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Mapping, Optional, Sequence

from .discovery import state_folder
from .errors_gen import NoServer

INSTALL_HINT = "install the server (npm install -g sampo-bridge, or the portable folder), or name its command in SAMPO_COMMAND"


def server_command(environ: Optional[Mapping[str, str]] = None) -> list[str]:
    """The command that runs `sampo`: `SAMPO_COMMAND`, else `sampo` on the path, else a checkout around this file.

    Raises NoServer when there is none.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("SAMPO_COMMAND", "")
    if named:
        words = [named] if Path(named).exists() else shlex.split(named, posix=sys.platform != "win32")
        found = shutil.which(words[0], path=environ.get("PATH"))
        if found is None:
            raise NoServer(f"no server could be started: SAMPO_COMMAND names {words[0]!r}, which is not there", hint="mend or unset SAMPO_COMMAND")
        return [found, *words[1:]]
    found = shutil.which("sampo", path=environ.get("PATH"))
    if found is not None:
        return [found]
    for folder in Path(__file__).resolve().parents:
        main = folder / "dist" / "main.js"
        if main.exists() and (folder / "schemas").is_dir():
            node = shutil.which("node", path=environ.get("PATH"))
            if node is not None:
                return [node, str(main)]
    raise NoServer("no server runs, and no command `sampo` was found to start one", hint=INSTALL_HINT)


class ServerProcess:
    """A server that this process has started. It goes on when this process ends, unless it is stopped."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout: float = 15) -> None:
        """Waits for the end of a server that was told to stop; ends it when it does not within `timeout` s."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.terminate()


def start_server(
    state: Optional[os.PathLike[str] | str] = None,
    roots: Sequence[os.PathLike[str] | str] = (),
    *,
    command: Optional[Sequence[str]] = None,
    arguments: Sequence[str] = (),
    timeout: float = 60,
) -> ServerProcess:
    """Starts `sampo serve` and waits until it is ready. Its log goes to `python-server.log` in the state folder.

    Raises NoServer with the last lines of the log when it ends or says nothing within `timeout` s. When another server took
    the folder in the meantime, that is no error: read the connection file again.
    """
    folder = state_folder(state)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "python-server.log"
    words = [*(command or server_command()), "serve", "--json", "--state", str(folder)]
    for root in roots:
        words += ["--root", str(Path(root).resolve())]
    words += arguments
    detached = {"creationflags": 0x00000008 | 0x00000200} if sys.platform == "win32" else {"start_new_session": True}
    with log.open("w", encoding="utf-8") as errors:
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, encoding="utf-8", **detached)  # type: ignore[call-overload]
        except OSError as error:
            raise NoServer(f"the server could not be started: {words[0]}: {error}", hint=INSTALL_HINT) from error
    ready: list[str] = []
    listener = threading.Thread(target=lambda: ready.append(process.stdout.readline()), daemon=True)
    listener.start()
    listener.join(timeout)
    line = ready[0] if ready else ""
    if not line.strip().startswith("{"):
        if ready:
            # It has closed its output, so it is about to end; without that it is still waited for.
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        running = process.poll() is None
        if running:
            process.terminate()
        said = " | ".join(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:])
        what = f"said nothing within {timeout:g} s" if running else f"ended with code {process.wait()}"
        raise NoServer(f"the server {what}: {said or 'no word in its log'}", hint=f"see {log}, or start it by hand with: sampo serve")
    json.loads(line)
    return ServerProcess(process, log)
