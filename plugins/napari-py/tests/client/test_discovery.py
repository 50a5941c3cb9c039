"""The state folder and the connection file, as docs/connecting.md says."""

import json
import os
from pathlib import Path

import pytest

from sampo_client import NoServer
from sampo_client.discovery import read_connection_file, state_folder
from sampo_client.server_process import server_command, start_server

HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", "/home/ada/.local/state/sampo"),
        ({"XDG_STATE_HOME": "/x"}, "linux", "/x/sampo"),
        ({"XDG_STATE_HOME": "relative"}, "linux", "/home/ada/.local/state/sampo"),
        ({}, "darwin", "/home/ada/Library/Application Support/sampo"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/sampo"),
        ({"SAMPO_STATE": "/here"}, "linux", "/here"),
    ],
)
def test_the_state_folder_of_each_system(environ: dict[str, str], platform: str, expected: str) -> None:
    assert state_folder(None, environ, platform, HOME) == Path(expected)


def test_a_given_folder_wins() -> None:
    assert state_folder("/given", {"SAMPO_STATE": "/here"}) == Path("/given")


def write(folder: Path, **held: object) -> None:
    (folder / "connection.json").write_text(json.dumps({"url": "ws://127.0.0.1:1/rpc", "token": "t", "pid": os.getpid(), "protocolVersion": "1.0", **held}))


def test_a_connection_file_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_connection_file(tmp_path).url == "ws://127.0.0.1:1/rpc"


def test_none_a_torn_one_and_one_whose_process_is_gone_are_three_messages(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="there is no connection file"):
        read_connection_file(tmp_path)
    (tmp_path / "connection.json").write_text("{")
    with pytest.raises(NoServer, match="cannot be read"):
        read_connection_file(tmp_path)
    write(tmp_path, pid=2**22 + 12345)
    with pytest.raises(NoServer, match="is gone"):
        read_connection_file(tmp_path)


def test_the_command_of_the_server(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match="SAMPO_COMMAND names 'no-such-program'"):
        server_command({"SAMPO_COMMAND": "no-such-program --x", "PATH": ""})
    with pytest.raises(NoServer) as found:
        server_command({"PATH": ""})
    assert "npm install" in found.value.hint


def test_a_server_that_ends_at_once_is_told_with_its_words(tmp_path: Path) -> None:
    program = tmp_path / "sampo"
    program.write_text("#!/bin/sh\necho the disk is on fire >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(NoServer, match="ended with code 3: the disk is on fire"):
        start_server(tmp_path / "state", command=[str(program)])


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    program = tmp_path / "sampo"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(NoServer, match="said nothing within 0.3 s"):
        start_server(tmp_path / "state", command=[str(program)], timeout=0.3)
