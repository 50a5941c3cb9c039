"""The generated files are those of the contract."""

import ast
import subprocess
import sys
from pathlib import Path

import sampo_client
from sampo_client import calls_gen, errors_gen, types_gen

PACKAGE = Path(__file__).parents[2]


def test_generated_files_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(PACKAGE / "tools/generate_types.py"), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_error_of_the_table_is_an_exception_with_its_hint() -> None:
    assert issubclass(sampo_client.NoPositiveClick, sampo_client.SampoError)
    assert sampo_client.NoPositiveClick.code == -32033
    assert all(kind.hint and kind.code for kind in errors_gen.ERRORS.values())


def test_requests_and_types_of_the_contract_are_there() -> None:
    assert "segment/prompt" in calls_gen.REQUESTS
    assert "image/readRegion" not in calls_gen.REQUESTS, "the server's own requests are not the client's"
    assert types_gen.SegmentPromptParams.__required_keys__ == {"imageId", "intents", "extent"}
    assert "filters" in types_gen.SegmentPromptParams.__optional_keys__


def test_the_client_imports_no_viewer() -> None:
    """Neither Qt nor napari, nor anything beyond numpy and the WebSocket package, at import."""
    code = "import sys, sampo_client; print([m for m in sys.modules if m.split('.')[0] in ('napari','qtpy','PyQt5','PyQt6','pandas','dask','zarr','tqdm','websockets')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_no_file_of_the_client_imports_a_third_party_outside_its_door() -> None:
    """One door for each package: websockets in the connection, zarr in the OME-Zarr reader."""
    doors = {"websockets": {"connection.py"}, "zarr": {"ome_zarr.py"}, "tqdm": {"batches.py"}}
    for path in (PACKAGE / "src/sampo_client").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for name in names:
                package = name.split(".")[0]
                if package in sys.stdlib_module_names or package in ("numpy", "__future__"):
                    continue
                assert path.name in doors.get(package, set()), f"{path.name} imports {package}"
