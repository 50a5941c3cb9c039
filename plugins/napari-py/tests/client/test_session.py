"""A session against the real server: find, threshold, judge, review, refine, revert."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import sampo_client
from demo import CLICKS, DEMO, ROOT
from sampo_client import Examples, Session


def test_three_clicks_find_all_lymphocytes_and_stream_them(session: Session) -> None:
    streamed: list[dict] = []
    percentages: list[float] = []
    found = session.find_all(
        DEMO / "breast.png", CLICKS, intent="Lymphocyte", color=(20, 60, 220),
        on_objects=streamed.extend, on_progress=lambda value: percentages.append(value["percentage"]) if value["kind"] == "report" else None,
    )
    assert 70 < len(found) < 300 and found.counts() == {"Lymphocyte": len(found)}
    # The answer corrects what streamed: it knows the whole image.
    assert len({feature["id"] for feature in streamed} & set(found.ids)) > 0.8 * len(found)
    assert percentages == sorted(percentages) and percentages[-1] == 100
    assert found.features[0]["properties"]["classification"]["color"] == [20, 60, 220]
    assert all(found.at(x, y) is not None for x, y in CLICKS)
    table = found.table()
    assert (table["score"] > 0).all() and (table["area_um2"] > 1).all()


def test_an_array_gives_the_objects_of_the_file(session: Session, breast: np.ndarray) -> None:
    """Coordinates, sizes and bytes of image/readRegion: one pixel off, and outlines differ."""
    of_file = session.find_all(DEMO / "breast.png", CLICKS, intent="A")
    of_array = session.find_all(breast, CLICKS, intent="B", pixel_size=0.5)
    outlines = [[feature["geometry"] for feature in found] for found in (of_file, of_array)]
    assert outlines[0] == outlines[1]
    assert not of_array.warnings


@pytest.mark.parametrize("kind", ["dask", "zarr", "levels", "uint16", "float"])
def test_lazy_and_deep_arrays_give_the_same_objects(session: Session, breast: np.ndarray, tmp_path: Path, kind: str) -> None:
    if kind == "dask":
        image = pytest.importorskip("dask.array").from_array(breast, chunks=128)
    elif kind == "zarr":
        image = pytest.importorskip("zarr").open_array(str(tmp_path / "a.zarr"), mode="w", shape=breast.shape, chunks=(128, 128, 3), dtype="u1")
        image[:] = breast
    elif kind == "levels":
        image = [breast, breast[::2, ::2]]
    else:
        image = breast.astype(np.uint16) * 257 if kind == "uint16" else breast / 255.0
    expected = session.find_all(breast, CLICKS, intent="A", pixel_size=0.5)
    found = session.find_all(image, CLICKS, intent="B", pixel_size=0.5)
    assert [feature["geometry"] for feature in found] == [feature["geometry"] for feature in expected]
    assert any("brightness" in warning for warning in found.warnings) == (kind in ("uint16", "float"))


def test_dapi_nuclei_are_found_as_virtual_haematoxylin(session: Session) -> None:
    """Bright discs on a dark ground, with noise: a stand-in for a DAPI image of known truth."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[:512, :512]
    picture, places = random.normal(200, 20, (512, 512)), []
    for y in range(30, 500, 50):
        for x in range(30, 500, 50):
            cx, cy, r = x + random.uniform(-8, 8), y + random.uniform(-8, 8), random.uniform(8, 12)
            picture += 2500 * np.clip(r + 0.5 - np.hypot(columns + 0.5 - cx, rows + 0.5 - cy), 0, 1) * random.uniform(0.7, 1)
            places.append((cx, cy))
    found = session.find_all(np.clip(picture, 0, 65535).astype(np.uint16), places[:3], intent="Nucleus", pixel_size=0.5, channel_names=["DAPI"])
    hit = sum(found.at(x, y) is not None for x, y in places)
    assert hit >= 0.8 * len(places) and len(found) <= 1.2 * len(places)
    assert any("DAPI" in warning for warning in found.warnings)


def test_the_same_pixels_are_opened_once_and_changed_ones_anew(session: Session, breast: np.ndarray) -> None:
    first = session.open(breast, pixel_size=0.5)
    assert session.open(breast.copy(), pixel_size=0.5).image_id == first.image_id
    changed = breast.copy()
    changed[:9, :9] = 0
    assert session.open(changed, pixel_size=0.5).image_id != first.image_id
    session.close_image(first)
    with pytest.raises(sampo_client.ImageNotOpen):
        session.call("image/region", {"imageId": first.image_id, "x": 0, "y": 0, "width": 9, "height": 9})


def test_several_intents_at_once_and_regions(session: Session, breast: np.ndarray) -> None:
    found = session.find_all(breast, intents={"Lymphocyte": CLICKS, "Other": Examples(clicks=[(60, 60)])}, pixel_size=0.5)
    assert set(found.counts()) <= {"Lymphocyte", "Other"} and found.counts()["Lymphocyte"] > 30
    boxed = session.find_all(breast, intent="Lymphocyte", region=(200, 180, 150, 140), pixel_size=0.5)
    table = boxed.table()
    assert len(boxed) and ((table["x"] > 190) & (table["x"] < 360) & (table["y"] > 170) & (table["y"] < 330)).all()
    triangle = session.find_all(breast, intent="Lymphocyte", region=[(0, 0), (465, 0), (0, 465)], pixel_size=0.5).table()
    assert (triangle["x"] + triangle["y"] < 480).all()


def test_an_intent_is_kept_by_name_and_used_without_a_click(session: Session, breast: np.ndarray) -> None:
    first = session.find_all(breast, CLICKS, intent="Lymphocyte", pixel_size=0.5)
    again = session.find_all(breast[:, ::-1].copy(), intent="Lymphocyte", pixel_size=0.5)
    assert abs(len(again) - len(first)) < 0.5 * len(first)
    kept = session.intent("Lymphocyte")
    assert (kept.examples, kept.positives) == (3, 3)
    assert session.rename(kept, "T cell", (1, 2, 3)).name == "T cell"
    session.delete("T cell")
    assert session.intents() == []


def test_without_a_name_each_search_has_an_intent_of_its_own(session: Session, breast: np.ndarray) -> None:
    session.find_all(breast, CLICKS[:1], pixel_size=0.5)
    session.find_all(breast, CLICKS[1:2], pixel_size=0.5)
    assert [intent.name for intent in session.intents()] == ["Unnamed 1", "Unnamed 2"]


def test_a_higher_threshold_keeps_a_part_under_the_same_ids(session: Session, breast: np.ndarray) -> None:
    found = session.find_all(breast, CLICKS, intent="Lymphocyte", pixel_size=0.5)
    fewer = session.threshold(found, 0.7)
    assert 0 < len(fewer) < len(found) and set(fewer.ids) < set(found.ids)
    assert (fewer.table()["score"] >= 0.7).all()
    assert session.threshold(found, min_area=40).table()["area_um2"].min() >= 40


def test_judge_review_undo_refine_and_revert(session: Session, breast: np.ndarray) -> None:
    found = session.find_all(breast, CLICKS, intent="Lymphocyte", pixel_size=0.5)
    doubtful = session.review(found, 12)
    assert len(doubtful) == 12
    assert session.judge(found, accept=doubtful.ids[:6], reject=list(doubtful)[6:]) == 12
    assert session.judge(found, add=[{"type": "Polygon", "coordinates": [[[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]]}]) == 13
    assert session.undo("Lymphocyte") == 12
    assert session.redo("Lymphocyte") == 13
    assert session.undo("Lymphocyte") == 12
    assert not set(session.review(found, 5).ids) & set(doubtful.ids)
    steps: list[dict] = []
    refined = session.refine(found, seconds=4, on_progress=steps.append)
    assert refined.verdict and refined.seconds > 0 and any(step.get("metrics") for step in steps)
    assert refined.objects is not None
    if refined.activated:
        assert session.intent("Lymphocyte").checkpoint_id == refined.checkpoint_id is not None
        assert set(refined.objects.ids) == (set(found.ids) | set(refined.added)) - set(refined.removed)
    else:
        assert refined.objects == found
    back = session.revert(refined)
    assert session.intent("Lymphocyte").checkpoint_id is None
    assert back.objects is not None
    rejected = set(doubtful.ids[6:])
    # What was judged stays as it was said, and tips a few of its like.
    lost = set(found.ids) - rejected - set(back.objects.ids)
    assert len(lost) < 0.1 * len(found) and not lost & set(doubtful.ids[:6])


def test_the_better_of_two_outlines_is_stored(session: Session, breast: np.ndarray) -> None:
    found = session.find_all(breast, CLICKS, intent="Lymphocyte", pixel_size=0.5)
    prompt = found.candidates[0]
    assert len(prompt["masks"]) > 1
    assert session.judge(found, better={prompt["promptId"]: 1}) == 1
    with pytest.raises(ValueError, match="no click"):
        session.judge(found, better={"other": 1})


def test_a_batch_runs_over_files_and_a_failing_one_is_told(session: Session, server_state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session.find_all(DEMO / "breast.png", CLICKS, intent="Lymphocyte")
    files = server_state.parent / "files"
    (files / "copy.png").write_bytes((DEMO / "breast.png").read_bytes())
    end = session.batch([DEMO / "breast.png", files / "copy.png"], "Lymphocyte", files / "batch-out", poll=0.1)
    assert (end.state, end.total, end.done, end.failed) == ("done", 2, 2, 0) and end.objects > 100
    assert "2/2" in capsys.readouterr().err
    assert len(list((files / "batch-out").rglob("*.geojson"))) == 2
    (files / "broken-batch.png").write_bytes(b"no picture")
    with pytest.raises(sampo_client.BatchFailed, match="errors.csv"):
        session.batch([files / "broken-batch.png"], "Lymphocyte", files / "batch-broken", progress=False, poll=0.1)
    with pytest.raises(sampo_client.IntentNotFound):
        session.batch([files / "copy.png"], "nope", files / "batch-none")
    with pytest.raises(sampo_client.ImageProblem, match="runs over files"):
        session.batch([np.zeros((9, 9))], "Lymphocyte", files / "batch-none")


def test_a_batch_is_refused_by_name_where_the_server_serves_none(session: Session, tmp_path: Path) -> None:
    session.state.methods -= {"batch/start"}
    with pytest.raises(sampo_client.NotAvailable, match="does not serve batch/start"):
        session.batch([DEMO / "breast.png"], "Lymphocyte", tmp_path / "out")


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_errors_are_exceptions_with_what_to_do(session: Session, breast: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(sampo_client.NoPositiveClick, match="click at least one"):
        session.find_all(breast, not_these=[(5, 5)], intent="A")
    with pytest.raises(sampo_client.ClickOutside, match="9999"):
        session.find_all(breast, [(9999, 1)], intent="A")
    with pytest.raises(sampo_client.EmptyExtent):
        session.find_all(breast, CLICKS, intent="A", region=(1000, 1000, 5, 5))
    with pytest.raises(sampo_client.InvalidParams):
        session.find_all(breast, CLICKS, intent="A", threshold=7)
    with pytest.raises(sampo_client.IntentNotFound, match="no intent is called “nope”"):
        session.intent("nope")
    with pytest.raises(sampo_client.JudgementsTooFew):
        session.refine("A")
    (tmp_path / "outside.png").write_bytes((DEMO / "breast.png").read_bytes())
    with pytest.raises(sampo_client.PathNotAllowed, match="connect\\(roots"):
        session.find_all(tmp_path / "outside.png", CLICKS, intent="A")
    with pytest.raises(ValueError, match="a click is"):
        session.find_all(breast, ["12"], intent="A")  # type: ignore[list-item]


def test_an_unknown_pixel_size_is_told(session: Session, breast: np.ndarray) -> None:
    assert any("how large a pixel" in warning for warning in session.find_all(breast, CLICKS, intent="A").warnings)


def test_an_array_that_raises_tells_its_own_error(session: Session, breast: np.ndarray) -> None:
    dask = pytest.importorskip("dask.array")
    delayed = pytest.importorskip("dask").delayed

    def broken() -> np.ndarray:
        raise OSError("the share is gone")

    half = dask.from_delayed(delayed(broken)(), (1200, 1200, 3), np.uint8)
    good = dask.from_array(np.tile(breast, (3, 3, 1))[:1200, :1200], chunks=300)
    with pytest.raises(sampo_client.ImageProblem, match="OSError: the share is gone"):
        session.find_all(half, CLICKS, intent="A", pixel_size=0.5)
    # The sample of the picture can be read, a small block between its places cannot: its tile fails, and is told. A clicked one fails the search.
    block = dask.from_delayed(delayed(broken)(), (20, 20, 3), np.uint8)
    hole = dask.concatenate([good[:280], dask.concatenate([good[280:300, :280], block, good[280:300, 300:]], axis=1), good[300:]], axis=0)
    found = session.find_all(hole, [(1071, 1130)], intent="A", pixel_size=0.5)
    assert any("failed" in warning and "the share is gone" in warning for warning in found.warnings)
    with pytest.raises(sampo_client.ImageProblem, match="the share is gone"):
        session.find_all(hole, [(289, 260)], intent="B", region=(270, 240, 40, 80), pixel_size=0.5)


def test_a_callback_that_raises_stops_the_search_and_is_raised(session: Session, breast: np.ndarray) -> None:
    class Stop(Exception):
        pass

    def stop(_: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        session.find_all(breast, CLICKS, intent="A", pixel_size=0.5, on_progress=stop)
    assert session.call("server/status")["clients"] >= 1, "the connection goes on"


def test_a_search_is_cancelled(session: Session, breast: np.ndarray) -> None:
    large = np.tile(breast, (5, 5, 1))
    opened = session.open(large, pixel_size=0.5)
    intent = session.intent("A", create=True)
    params = {"imageId": opened.image_id, "intents": [{"intentId": intent.intent_id, "clicks": [{"x": 289, "y": 260}]}], "extent": {"type": "image"}}
    begun = threading.Event()
    pending = session.connection.request("segment/prompt", params, lambda _: begun.set())
    assert begun.wait(30)
    pending.cancel()
    with pytest.raises(sampo_client.RequestCancelled):
        pending.result()


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_an_interrupted_script_cancels_at_the_server(server_state: Path, session: Session) -> None:
    """What a notebook does when its kernel is interrupted."""
    script = (
        "import sys, numpy as np, sampo_client\n"
        "picture = np.random.default_rng(0).integers(0, 255, (3000, 3000, 3)).astype('u1')\n"
        "with sampo_client.connect(sys.argv[1], start=False) as session:\n"
        "    try:\n"
        "        session.find_all(picture, [(50, 50)], intent='slow', pixel_size=0.5, on_progress=lambda v: print('under way', flush=True))\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted', session.call('server/status')['clients'] > 0, flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(server_state)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline().strip() == "under way"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0].split("\n")
    assert "interrupted True" in said


def test_a_server_is_started_and_stopped_with_the_session(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with pytest.raises(sampo_client.NoServer):
        sampo_client.connect(state, start=False)
    with sampo_client.connect(state, roots=[DEMO], server_arguments=["--device", "cpu"]) as session:
        pid = session.call("server/status")["pid"]
        with sampo_client.connect(state, start=False) as other:
            assert other.call("server/status")["pid"] == pid
    assert not (state / "connection.json").exists()
    with pytest.raises(sampo_client.ConnectionLost):
        session.intents()


def test_a_started_server_stays_while_another_client_uses_it_and_a_killed_one_is_told(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = sampo_client.connect(state, roots=[], server_arguments=["--device", "cpu"])
    other = sampo_client.connect(state, start=False)
    pid = other.call("server/status")["pid"]
    first.close()
    assert other.call("server/status")["pid"] == pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(sampo_client.ConnectionLost):
        for _ in range(100):
            other.intents()
            time.sleep(0.05)
    other.close()
    with sampo_client.connect(state, roots=[], server_arguments=["--device", "cpu"]) as again:
        assert again.call("server/status")["pid"] != pid


def test_a_wrong_token_and_a_dead_port_are_told_apart(server_state: Path, tmp_path: Path) -> None:
    held = json.loads((server_state / "connection.json").read_text())
    (tmp_path / "connection.json").write_text(json.dumps({**held, "token": "wrong"}))
    with pytest.raises(sampo_client.TokenRefused, match="read the connection file again"):
        sampo_client.connect(tmp_path, start=False)
    (tmp_path / "connection.json").write_text(json.dumps({**held, "url": "ws://127.0.0.1:9/rpc"}))
    with pytest.raises(sampo_client.ConnectionRefused):
        sampo_client.connect(tmp_path, start=False)


def test_another_protocol_version_is_refused_with_both(server_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampo_client.handshake.PROTOCOL_VERSION", "9.0")
    with pytest.raises(sampo_client.VersionMismatch, match="update the plugin or the server"):
        sampo_client.connect(server_state, start=False)


def test_the_protocol_version_is_that_of_the_server(session: Session) -> None:
    assert session.hello["protocolVersion"] == sampo_client.PROTOCOL_VERSION
    assert (ROOT / "plugins/napari-py/pyproject.toml").read_text().count(f'version = "{sampo_client.VERSION}"') == 1
