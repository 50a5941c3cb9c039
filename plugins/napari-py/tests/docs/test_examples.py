"""The scripts and the notebook of docs/examples, as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demo import DEMO, ROOT

EXAMPLES = ROOT / "docs" / "examples"


def run(script: str, state: Path, *arguments: str) -> str:
    environ = {**os.environ, "SAMPO_STATE": str(state)}
    done = subprocess.run([sys.executable, str(EXAMPLES / script), *arguments], capture_output=True, text=True, timeout=240, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_find_judge_refine_and_a_small_batch_with_a_bar(server_state: Path, tmp_path: Path) -> None:
    files = server_state.parent / "files"
    (files / "second.png").write_bytes((DEMO / "breast.png").read_bytes())
    out = files / "example-out"
    said = run("find_all.py", server_state, str(out), str(DEMO / "breast.png"), str(files / "second.png"))
    assert "Lymphocyte" in said and "2/2" in said
    assert len(list(out.rglob("*.geojson"))) == 2


def test_an_array_becomes_labels(server_state: Path, tmp_path: Path) -> None:
    pytest.importorskip("skimage")
    said = run("array_to_labels.py", server_state, str(DEMO / "breast.png"), str(tmp_path / "labels.npy"))
    labels = np.load(tmp_path / "labels.npy")
    assert labels.shape == (465, 465) and labels.max() > 20 and "mean score" in said


def test_the_scripts_are_short() -> None:
    for script in ("find_all.py", "array_to_labels.py"):
        lines = (EXAMPLES / script).read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines[lines.index(next(line for line in lines if line.startswith("import"))) :] if line]) <= 10


def test_the_notebook_runs(server_state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("SAMPO_STATE", str(server_state))
    notebook = nbformat.read(EXAMPLES / "sampo.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells if cell.cell_type == "code"), "outputs are not committed"
    nbclient.NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = "".join(str(output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "Lymphocyte" in shown and "image/png" in shown
