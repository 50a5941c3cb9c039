"""The Python example that finds nuclei, against a real server, started from the built command line."""
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "models/demo"


@pytest.fixture
def state(tmp_path: Path):
    folder = tmp_path / "state"
    command = ["node", str(ROOT / "dist/main.js"), "serve", "--json", "--device", "cpu", "--state", str(folder), "--root", str(DEMO)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(server.stdout.readline())["pid"] == server.pid
        yield folder
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def example(state: Path, out: Path, *places: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "docs/examples/segment.py"), str(state), str(DEMO / "breast.png"), str(out), "Lymphocyte", *places]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_example_streams_and_writes_what_it_found(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.geojson"
    done = example(state, out, "289,260", "397,247", "141,200")
    assert done.returncode == 0, done.stderr
    features = json.loads(out.read_text(encoding="utf-8"))["features"]
    assert 70 < len(features) < 300
    size, told, end = done.stdout.split("\n")
    assert (size, end) == ("image 465 x 465", "")
    _, streamed, _, answered = told.split(" ")
    assert int(answered) == len(features)
    assert abs(int(streamed) / len(features) - 1) < 0.3
    for feature in features:
        assert feature["properties"]["classification"]["name"] == "Lymphocyte"
        ring = feature["geometry"]["coordinates"][0]
        ring = ring[0] if feature["geometry"]["type"] == "MultiPolygon" else ring
        assert ring[0] == ring[-1] and all(0 <= value <= 465 for position in ring for value in position)


def test_the_example_tells_an_error_with_its_hint(state: Path, tmp_path: Path) -> None:
    done = example(state, tmp_path / "none.geojson", "9999,1")
    assert done.returncode == 1
    assert "the click at (9999, 1) lies outside the image" in done.stderr
    assert not (tmp_path / "none.geojson").exists()
