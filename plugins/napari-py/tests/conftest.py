"""A real server for the tests, and a check of every message against the contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

import sampo_client
from demo import DEMO, ROOT
from sampo_client.connection import Connection



#: Without the check below, for tests that watch the time.
UNCHECKED = (Connection._take, Connection.send)


class Contract:
    """The schemas, for checking what the server sends."""

    def __init__(self) -> None:
        from jsonschema import Draft202012Validator
        from referencing import Registry, Resource

        common = json.loads((ROOT / "schemas/common.json").read_text(encoding="utf-8"))
        registry = Registry().with_resources(
            [("common.json", Resource.from_contents(common)), ("../common.json", Resource.from_contents(common)), ("methods/common.json", Resource.from_contents(common))]
        )
        self.results: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        for path in (ROOT / "schemas/methods").glob("*.json"):
            method = json.loads(path.read_text(encoding="utf-8"))
            text = {part: json.loads(json.dumps(method.get(part) or {}).replace('"../common.json', '"common.json')) for part in ("params", "result")}
            self.params[method["method"]] = Draft202012Validator(text["params"], registry=registry)
            self.results[method["method"]] = Draft202012Validator(text["result"], registry=registry)


def sampled(held: Any) -> Any:
    """The message with the first 20 of each long list: thousands of outlines are checked by their first."""
    if isinstance(held, dict):
        return {key: sampled(value) for key, value in held.items()}
    return [sampled(value) for value in held[:20]] if isinstance(held, list) else held


@pytest.fixture(scope="session", autouse=True)
def contract() -> Iterator[list[str]]:
    """Checks each result and each message of the server; what does not fit fails the run at its end."""
    held, misfits = Contract(), []
    sent: dict[tuple[int, Any], str] = {}
    take, send = Connection._take, Connection.send

    def checked_send(self: Connection, message: Any) -> None:
        if isinstance(message, dict) and "method" in message and "id" in message:
            sent[(id(self), message["id"])] = message["method"]
        send(self, message)

    def checked_take(self: Connection, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if isinstance(message, dict) and not getattr(self, "of_a_fake_server", False):
            method = message.get("method")
            if isinstance(method, str) and method in held.params:
                misfits.extend(f"{method}: {error.json_path} {error.message:.200}" for error in held.params[method].iter_errors(sampled(message.get("params"))))
            elif "result" in message and (id(self), message.get("id")) in sent:
                asked = sent[(id(self), message["id"])]
                misfits.extend(f"answer to {asked}: {error.json_path} {error.message:.200}" for error in held.results[asked].iter_errors(sampled(message["result"])))
        take(self, text)

    Connection._take, Connection.send = checked_take, checked_send  # type: ignore[method-assign]
    yield misfits
    Connection._take, Connection.send = take, send  # type: ignore[method-assign]
    assert not misfits, misfits[:5]


@pytest.fixture(scope="session")
def unchecked() -> Any:
    """The connection's methods without the check of the contract."""
    return UNCHECKED


@pytest.fixture(scope="session")
def server_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a server that runs for the whole session. Its files: the demo's, and those below files/."""
    state = tmp_path_factory.mktemp("server") / "state"
    (state.parent / "files").mkdir()
    with sampo_client.connect(state, roots=[DEMO, state.parent / "files"], server_arguments=["--device", "cpu"]):
        yield state


@pytest.fixture
def session(server_state: Path) -> Iterator[sampo_client.Session]:
    """A session at the server, with no intent from other tests."""
    with sampo_client.connect(server_state, start=False) as session:
        for intent in session.intents():
            session.delete(intent)
        yield session


@pytest.fixture(scope="session")
def breast() -> np.ndarray:
    """The bundled tile, uint8 [465, 465, 3]; 0.5 µm per pixel."""
    from PIL import Image

    with Image.open(DEMO / "breast.png") as image:
        return np.asarray(image.convert("RGB"))
