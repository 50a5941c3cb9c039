"""The corpus of messages (test/corpus), both ways: what the server answers reaches the caller as an exception of the same
name, and whatever a server may send leaves the client alive."""

from __future__ import annotations

import base64
import json
import queue
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from websockets.sync.server import serve

from demo import ROOT
from sampo_client import ConnectionLost, SampoError
from sampo_client.connection import Connection
from sampo_client.discovery import ConnectionInfo, read_connection_file
from sampo_client.errors import error_of

ROWS = [
    pytest.param(row, id=f"{folder}/{path.stem}: {row['name']}")
    for folder in ("accept", "reject")
    for path in sorted((ROOT / "test/corpus" / folder).glob("*.json"))
    for row in json.loads(path.read_text(encoding="utf-8"))
]
HELLO = {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": {"protocolVersion": "1.0", "client": {"name": "corpus"}}}


def payload(row: dict[str, Any]) -> str | bytes:
    return row["send"] if "send" in row else base64.b64decode(row["base64"])


class Recording(Connection):
    """Keeps every message beside taking it."""

    def __init__(self, socket: Any) -> None:
        self.heard: "queue.Queue[Any]" = queue.Queue()
        super().__init__(socket)

    def _take(self, text: str) -> None:
        self.heard.put(json.loads(text))
        super()._take(text)

    def answer_to(self, request_id: Any) -> Any:
        """The next answer to an id; what else comes is passed over."""
        while True:
            message = self.heard.get(timeout=20)
            if "method" not in message and message.get("id") == request_id:
                return message


@pytest.mark.parametrize("row", ROWS)
def test_the_answer_to_each_row_becomes_its_exception(server_state: Path, row: dict[str, Any]) -> None:
    connection = Recording.open(read_connection_file(server_state))
    assert isinstance(connection, Recording)
    try:
        if row["state"] != "new":
            connection.send(HELLO)
            connection.answer_to("hello")
        if row["state"] == "shutdown":
            connection.send({"jsonrpc": "2.0", "id": "bye", "method": "shutdown"})
            connection.answer_to("bye")
        connection.send(payload(row))
        expected = row["expect"]
        if expected.get("none"):
            # An answer to a later request shows that nothing came before it.
            connection.send({"jsonrpc": "2.0", "id": "after", "method": "no/such"})
            message = connection.heard.get(timeout=20)
            assert message["id"] == "after"
            return
        message = connection.answer_to(expected["id"])
        if "error" not in expected:
            assert "result" in message and (message["result"] is None) == (expected["result"] == "null")
            return
        error = error_of(message["error"])
        assert isinstance(error, SampoError)
        assert type(error).__name__ == expected["error"] == error.name
        assert error.hint and error.hint in str(error)
        if "pointer" in expected:
            assert error.data["problems"][0]["pointer"] == expected["pointer"]
            assert expected["pointer"] in str(error)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[str, "queue.Queue[str | bytes]"]]:
    """A server of nothing but what is put into its queue; it answers `ping` with `pong`, to show that the client listens."""
    to_send: "queue.Queue[str | bytes]" = queue.Queue()

    def handler(socket: Any) -> None:
        while not to_send.empty():
            socket.send(to_send.get())
        for text in socket:
            message = json.loads(text)
            if message.get("method") == "ping":
                socket.send(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": "pong"}))

    with serve(handler, "127.0.0.1", 0, subprotocols=["sampo.v1"]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/rpc", to_send
        server.shutdown()
        thread.join()


class OfFake(Connection):
    of_a_fake_server = True


@pytest.mark.parametrize("row", ROWS)
def test_a_client_that_is_sent_each_row_lives_on(hostile: tuple[str, "queue.Queue[str | bytes]"], row: dict[str, Any]) -> None:
    url, to_send = hostile
    to_send.put(payload(row))
    connection = OfFake.open(ConnectionInfo(url, "token", 1))
    try:
        try:
            assert connection.request("ping", {}).result() == "pong"
        except SampoError as error:
            # A row may itself look like an answer to the first id: then the caller gets it, as an error; or text that is not UTF-8, which ends the connection.
            assert not isinstance(error, ConnectionLost) or b"\xff" in (payload(row) if isinstance(payload(row), bytes) else b"")
    finally:
        connection.close()
