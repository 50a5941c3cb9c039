"""The Python example of docs/ against a real server, started from the built command line."""
import json
import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def png(path: Path, width: int, height: int) -> None:
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x80\x40\x80" * width) * height
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_the_example_opens_runs_and_cancels(tmp_path: Path) -> None:
    image, state = tmp_path / "image.png", tmp_path / "state"
    png(image, 40, 30)
    command = ["node", str(ROOT / "dist/main.js"), "serve", "--json", "--device", "cpu", "--state", str(state), "--root", str(tmp_path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(server.stdout.readline())
        assert set(ready) == {"url", "pid", "connectionFile"}
        assert Path(ready["connectionFile"]) == state / "connection.json"
        if os.name == "posix":
            assert (state / "connection.json").stat().st_mode & 0o777 == 0o600
        example = [sys.executable, str(ROOT / "docs/examples/connect.py"), str(state), str(image), str(ROOT / "test/fixtures/onnx/slow.onnx")]
        done = subprocess.run(example, capture_output=True, text=True, timeout=120)
        assert done.stdout.split("\n") == ["image 40 x 30", "runs 3", "cancelled -32800", ""], done.stderr
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    assert not (state / "connection.json").exists()
