"""What goes wrong at a user's: each a message that says what to do, and nothing lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sampo_client
from demo import CLICKS
from desk import new_desk

from napari_sampo.widget import SampoWidget


def warned(desk: Any, part: str) -> None:
    level, text = desk.controller.last_message
    assert level == "warning" and part in text, desk.controller.last_message


def test_no_image_layer(desk: Any) -> None:
    desk.controller.choose_intent("A")
    desk.controller.searching.find()
    warned(desk, "Open an image first")
    desk.controller.click((1, 1))
    warned(desk, "Open an image first")
    desk.widget.refresh()
    assert "No image is open" in desk.widget.image.name.text()


def test_a_labels_or_points_layer_selected(desk: Any) -> None:
    desk.found_breast()
    desk.viewer.layers.selection.active = desk.viewer.layers["SAMPO objects: breast"]
    desk.find()
    desk.viewer.layers.selection.active = desk.viewer.layers["SAMPO clicks: breast"]
    desk.find()
    assert desk.controller.picture().image_layer.name == "breast"


def test_only_a_labels_layer(desk: Any) -> None:
    desk.viewer.add_labels(np.zeros((50, 50), int))
    desk.controller.choose_intent("A")
    desk.controller.searching.find()
    warned(desk, "Open an image first")


def test_3d_rendering_is_refused_kindly(desk: Any) -> None:
    desk.viewer.add_image(np.zeros((5, 64, 64), np.uint8), name="stack")
    desk.viewer.dims.ndisplay = 3
    desk.controller.choose_intent("A")
    desk.controller.click((1, 1, 1))
    warned(desk, "leave 3D")
    desk.controller.searching.find()
    warned(desk, "leave 3D")


def test_rolled_axes_are_refused(desk: Any) -> None:
    desk.viewer.add_image(np.zeros((50, 64, 64), np.uint8), name="stack")
    desk.viewer.dims.order = (1, 2, 0)
    desk.controller.choose_intent("A")
    desk.controller.click((1, 1, 1))
    warned(desk, "axes are rolled")


def test_of_a_stack_the_plane_shown_is_searched(desk: Any, breast: np.ndarray) -> None:
    stack = np.stack([np.full(breast.shape[:2], 230, np.uint8), breast[..., 0], breast[..., 1]])
    desk.viewer.add_image(stack, name="stack", scale=(1, 0.5, 0.5))
    desk.viewer.dims.set_current_step(0, 2)
    desk.controller.choose_intent("A", (9, 9, 9))
    x, y = CLICKS[0]
    desk.controller.click(desk.viewer.layers["stack"].data_to_world((2, y - 0.5, x - 0.5)))
    desk.find(intent="A")
    source = desk.controller.source(desk.controller.picture())
    assert np.array_equal(source.levels[0].planes[0][:, :], breast[..., 1])
    assert len(desk.controller.picture().canvas) > 5
    desk.viewer.dims.set_current_step(0, 0)
    assert desk.controller.source(desk.controller.picture()) is not source


@pytest.mark.parametrize(("settings", "said"), [({}, "0.5 µm is taken"), ({"scale": (0.5, 0.5)}, "taken as µm")])
def test_a_scale_without_unit_is_shown_with_what_is_assumed(desk: Any, settings: dict[str, Any], said: str) -> None:
    desk.open_breast(**{"scale": (1, 1), **settings})
    desk.widget.refresh()
    assert said in desk.widget.image.source.text()


def test_a_typed_pixel_size_wins(desk: Any) -> None:
    desk.open_breast(scale=(1, 1))
    desk.widget.refresh()
    desk.widget.image.size.setValue(0.5)
    desk.controller.choose_intent("Lymphocyte", (1, 2, 3))
    desk.click(*CLICKS)
    desk.find()
    assert desk.controller.picture().found.latest().pixel_size == 0.5
    assert not any("pixel" in text and "Note" in text for _, text in desk.said)


@pytest.mark.parametrize("kind", ["float", "nan", "negative", "bool"])
def test_nan_and_float_images(desk: Any, breast: np.ndarray, kind: str) -> None:
    grey = breast[..., 1] / 255.0
    image = {"float": grey, "nan": np.where(np.arange(465) < 5, np.nan, grey), "negative": grey - 0.5, "bool": grey < 0.45}[kind]
    desk.viewer.add_image(image, name="breast", scale=(0.5, 0.5))
    desk.controller.choose_intent("A", (9, 9, 9))
    desk.click(*CLICKS)
    desk.find(intent="A")
    assert desk.controller.last_message[0] in ("note", "warning") and "Found" in desk.controller.last_message[1]


def test_an_image_of_nothing_but_nan_is_refused(desk: Any) -> None:
    desk.viewer.add_image(np.full((64, 64), np.nan), name="breast", contrast_limits=(0, 1))
    desk.controller.choose_intent("A")
    desk.click((20, 20))
    desk.controller.searching.find("layer")
    level, text = desk.wait_said("no finite value")
    assert level == "error"


def test_a_dask_array_that_raises(desk: Any) -> None:
    dask = pytest.importorskip("dask.array")
    delayed = pytest.importorskip("dask").delayed
    healthy = [True]

    def block() -> np.ndarray:
        if not healthy[0]:
            raise OSError("the share is gone")
        return np.full((400, 400), 200, np.uint8)

    lazy = dask.from_delayed(delayed(block)(), (400, 400), np.uint8)
    desk.viewer.add_image(lazy, name="breast", contrast_limits=(0, 255))
    desk.controller.choose_intent("A")
    desk.click((20, 20))
    healthy[0] = False
    desk.controller.searching.find("layer")
    level, text = desk.wait_said("the share is gone")
    assert level == "error" and "check that its file" in text.lower()
    assert len(desk.controller.picture().log.clicks) == 1, "no click is lost"


def test_a_layer_deleted_or_renamed_during_a_run(desk: Any, breast: np.ndarray) -> None:
    large = desk.viewer.add_image(np.tile(breast, (4, 4, 1)), name="large", rgb=True, scale=(0.5, 0.5))
    desk.controller.choose_intent("A", (9, 9, 9))
    desk.click((289, 260), layer="large")
    desk.controller.searching.find("layer")
    large.name = "renamed"
    desk.idle(0.3)
    assert desk.controller.running is not None
    desk.viewer.layers.remove(large)
    desk.wait(lambda: desk.controller.running is None)
    desk.idle()
    assert "Stopped" in desk.controller.last_message[1] or "stopped" in desk.controller.last_message[1]
    desk.controller.searching.find("layer")
    warned(desk, "Open an image first")


def test_our_layers_deleted_are_made_anew(desk: Any) -> None:
    desk.found_breast()
    for name in ("SAMPO objects: breast", "SAMPO clicks: breast"):
        desk.viewer.layers.remove(name)
    desk.find()
    assert len(desk.viewer.layers["SAMPO clicks: breast"].data) == 3
    assert np.asarray(desk.viewer.layers["SAMPO objects: breast"].data).any()


def test_the_server_gone_and_back(make_napari_viewer: Any, tmp_path: Path, breast: np.ndarray) -> None:
    viewer = make_napari_viewer()
    desk = new_desk(viewer, {"state": tmp_path / "state", "roots": [], "server_arguments": ["--device", "cpu"]})
    controller = desk.controller
    desk.found_breast()
    pid = controller.bridge.live.call("server/status")["pid"]
    first = controller.picture().canvas.ids[0]
    os.kill(pid, signal.SIGKILL)
    desk.wait(lambda: controller.bridge.live is None)
    desk.idle()
    assert "gone" in desk.widget.status.text()
    controller.judging.judge({first: 1})
    warned(desk, "no longer holds this search")
    desk.find()
    assert controller.bridge.live.call("server/status")["pid"] != pid
    assert controller.intent("Lymphocyte") is not None, "intents are kept"
    controller.judging.judge({controller.picture().canvas.ids[0]: 1})
    desk.wait(lambda: controller.intent().judgements == 1)
    controller.close()


def test_the_server_killed_during_a_search(make_napari_viewer: Any, tmp_path: Path, breast: np.ndarray) -> None:
    desk = new_desk(make_napari_viewer(), {"state": tmp_path / "state", "roots": [], "server_arguments": ["--device", "cpu"]})
    desk.viewer.add_image(np.tile(breast, (4, 4, 1)), name="large", rgb=True, scale=(0.5, 0.5))
    desk.controller.choose_intent("A", (9, 9, 9))
    desk.click((289, 260), layer="large")
    desk.controller.searching.find("layer")
    desk.wait(lambda: desk.controller.bridge.live is not None and desk.widget.bar.value() > 0 and desk.widget.bar.maximum() == 100)
    os.kill(desk.controller.bridge.live.call("server/status")["pid"], signal.SIGKILL)
    level, text = desk.wait_said("the server has gone")
    assert level == "error" and "Try again" in text
    desk.wait(lambda: desk.controller.running is None)
    assert len(desk.controller.picture().log.clicks) == 1
    desk.controller.close()


def test_no_server_and_none_to_start(make_napari_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPO_COMMAND", "no-such-sampo")
    desk = new_desk(make_napari_viewer(), {"state": tmp_path / "state", "roots": []})
    desk.controller.connect()
    level, text = desk.wait_said("no-such-sampo")
    assert level == "error" and "SAMPO_COMMAND" in text
    desk.controller.close()


def test_an_older_or_newer_server(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampo_client.handshake.PROTOCOL_VERSION", "9.0")
    desk.controller.connect()
    level, text = desk.wait_said("same protocol")
    assert level == "error" and "pip install -U napari-sampo" in text


def test_two_widgets_share_one_state(desk: Any) -> None:
    second = SampoWidget(desk.viewer)
    desk.viewer.window.add_dock_widget(second, name="SAMPO again", area="right")
    assert second.controller is desk.controller
    desk.found_breast()
    desk.idle()
    assert second.intent.choice.currentText() == "Lymphocyte"
    assert second.message.text() == desk.widget.message.text()
    assert [layer.name for layer in desk.viewer.layers].count("SAMPO objects: breast") == 1


def test_an_intent_made_elsewhere_appears_and_one_deleted_elsewhere_is_told(desk: Any, server_state: Path) -> None:
    desk.found_breast()
    with sampo_client.connect(server_state, start=False) as other:
        other.intent("Made elsewhere", create=True)
        desk.wait(lambda: desk.controller.intent("Made elsewhere") is not None)
        other.delete("Lymphocyte")
    desk.controller.judging.judge({desk.controller.picture().canvas.ids[0]: 1})
    level, text = desk.wait_said("no intent")
    assert level == "error"
    assert desk.controller.judging.judged_count() == (0, 0), "what was not stored does not show"


def test_what_another_viewer_refines_is_seen_here(desk: Any, server_state: Path) -> None:
    """objects/publish: the intent goes to another version in another client."""
    desk.found_breast()
    controller = desk.controller
    canvas = controller.picture().canvas
    rejected = canvas.ids[:3]
    with sampo_client.connect(server_state, start=False) as other:
        controller.bridge.live.call("preference/submit", {"intentId": controller.intent().intent_id, "imageId": controller.picture().found.latest().image_id, "judgements": [{"kind": "reject", "objectId": i} for i in rejected]})
        other.activate("Lymphocyte", None)
    desk.wait(lambda: not set(rejected) & set(canvas.ids))
    assert canvas.ids


def test_a_click_outside_and_without_a_name(desk: Any) -> None:
    desk.open_breast()
    desk.controller.click((100, 100))
    warned(desk, "Name what you look for")
    desk.controller.choose_intent("A")
    desk.click((-50, 10))
    warned(desk, "outside the image")
    desk.click((10, 10), positive=False)
    warned(desk, "Click one that is of the type first")
    desk.controller.searching.find()
    warned(desk, "Click at least one nucleus")


def test_nothing_to_search_in(desk: Any) -> None:
    layer = desk.open_breast()
    desk.controller.choose_intent("A")
    desk.click((289, 260))
    desk.controller.searching.find("shape")
    warned(desk, "Draw a shape first")
    desk.viewer.add_shapes([np.array([[0, 0], [5, 5]])], shape_type="line")
    desk.controller.searching.find("shape")
    warned(desk, "enclose nothing")
    layer.corner_pixels = np.array([[600, 600], [700, 700]])
    desk.viewer.layers.selection.active = layer
    desk.controller.searching.find("view")
    warned(desk, "shows nothing of the image")


def test_too_small_an_image(desk: Any) -> None:
    desk.viewer.add_image(np.zeros((8, 8), np.uint8), name="breast")
    desk.controller.choose_intent("A")
    desk.click((2, 2))
    warned(desk, "too small")


def test_a_search_that_is_stopped_says_so_and_a_second_is_refused_while_one_runs(desk: Any, breast: np.ndarray) -> None:
    desk.viewer.add_image(np.tile(breast, (4, 4, 1)), name="large", rgb=True, scale=(0.5, 0.5))
    desk.controller.choose_intent("A", (9, 9, 9))
    desk.click((289, 260), layer="large")
    desk.controller.searching.find("layer")
    desk.controller.searching.find("layer")
    warned(desk, "is under way")
    desk.controller.stop()
    desk.wait_said("stopped")
    assert desk.controller.running is None


def test_refine_without_judgements_says_what_is_missing(desk: Any) -> None:
    desk.found_breast()
    desk.controller.refining.refine()
    level, text = desk.wait_said("Refining")
    assert level == "error" and "3 are needed" in text


def test_a_very_long_and_a_refused_class_name(desk: Any) -> None:
    desk.open_breast()
    desk.controller.choose_intent("x" * 5000)
    desk.click((289, 260))
    desk.controller.searching.find("layer")
    level, text = desk.wait_said("Finding")
    assert level == "error" and len(text) < 2000


def test_a_large_picture_keeps_only_the_searched_part(desk: Any) -> None:
    dask = pytest.importorskip("dask.array")
    from napari_sampo.picture import Picture

    layer = desk.viewer.add_image(dask.zeros((60_000, 50_000), chunks=4096, dtype=np.uint8), name="slide", contrast_limits=(0, 255))
    picture = Picture(desk.viewer, [layer], lambda: None)
    assert picture.canvas.labels.size <= 150_000_000
    picture.make_room((30_000, 40_000, 500, 600))
    left, top = picture.canvas.origin
    assert left <= 30_000 and top <= 40_000 and left + picture.canvas.labels.shape[1] >= 30_500 and top + picture.canvas.labels.shape[0] >= 40_600
