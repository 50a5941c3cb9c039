"""The whole flow in a real napari window at the real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo import CLICKS

import napari_sampo.gallery as gallery_module
from napari_sampo.batch import open_layers, picture_files, run_folder
from napari_sampo.coordinates import camera_of
from napari_sampo.candidates import Candidates
from napari_sampo.label_canvas import ACCEPTED, REJECTED
from napari_sampo.reader import get_reader
from napari_sampo.writer import write_objects

DATA = Path(__file__).parents[1] / "data"


def test_click_find_reject_refine_revert_save_and_reopen(desk: Any, tmp_path: Path) -> None:
    controller, viewer = desk.controller, desk.viewer
    layer = desk.open_breast()
    controller.choose_intent("Lymphocyte", (20, 60, 220))
    desk.click(*CLICKS)
    assert len(viewer.layers["SAMPO clicks: breast"].data) == 3
    desk.find()
    labels = viewer.layers["SAMPO objects: breast"]
    picture = controller.picture()
    assert 70 < len(picture.canvas) < 300
    assert np.allclose(labels.scale, layer.scale) and np.asarray(labels.data).shape == (465, 465)
    for x, y in CLICKS:
        value = np.asarray(labels.data)[y, x]
        assert value and np.allclose(np.asarray(labels.get_color(value))[:3] * 255, (20, 60, 220), atol=1), "type in, type out"
    table = labels.features
    assert set(table["class"]) == {"Lymphocyte"} and len(table) == len(picture.canvas)
    assert set(np.unique(labels.data)) - {0} == set(table["index"])

    # Reject the least sure, accept the surest.
    controller.judging.fetch_review(12, lambda _: None)
    desk.wait(lambda: len(controller.judging.reviewing) == 12)
    doubtful = list(controller.judging.reviewing)
    surest = [i for i in table.sort_values("score")["id"] if i not in doubtful][-8:]
    controller.judging.end_review()
    controller.judging.judge({**{i: REJECTED for i in doubtful}, **{i: ACCEPTED for i in surest}})
    desk.wait(lambda: controller.intent() is not None and controller.intent().judgements == 20)
    assert controller.judging.judged_count() == (8, 12)

    before = {i: picture.canvas.state(i) for i in picture.canvas.ids}
    controller.settings.refine_seconds = 4
    seen: list[float] = []
    controller.progressed.connect(lambda percentage, _: seen.append(percentage))
    controller.refining.refine()
    desk.wait(lambda: controller.running is None)
    assert any(0 < percentage < 100 for percentage in seen), "progress is shown"
    level, text = controller.last_message
    assert "Refined" in text or "Nothing has changed" in text
    if controller.refining.refinement is not None:
        controller.refining.compare(True)
        assert set(picture.canvas.ids) == set(before)
        controller.refining.compare(False)
        controller.refining.revert()
        desk.wait_said("Reverted")
        assert controller.intent().checkpoint_id is None
    assert {i: picture.canvas.state(i) for i in picture.canvas.ids} == before

    desk.said.clear()
    controller.save(str(tmp_path / "objects"))
    desk.wait_said("Saved")
    saved = json.loads((tmp_path / "objects.geojson").read_text(encoding="utf-8"))["features"]
    assert len(saved) == len(before) - 12, "rejected ones are left out"
    (data, settings, kind), = get_reader(str(tmp_path / "objects.geojson"))(str(tmp_path / "objects.geojson"))  # type: ignore[misc]
    opened = viewer.add_labels(data, **{**settings, "name": "reopened"})
    assert kind == "labels" and set(opened.features["id"]) == {feature["id"] for feature in saved}
    shown = (np.asarray(labels.data) > 0) & ~np.isin(labels.data, [picture.canvas.label(i) for i in doubtful])
    rows, columns = opened.data.shape
    assert np.array_equal(np.asarray(opened.data) > 0, shown[:rows, :columns]) and not shown[rows:].any()


def test_a_refinement_that_is_kept_or_not_activated_is_told(desk: Any) -> None:
    """Judgements of the tile's own labels: what a user who knows would say."""
    controller = desk.controller
    desk.found_breast()
    from demo import DEMO
    from sampo_client.rasterize import bounds

    points = json.loads((DEMO / "points.json").read_text())["points"]
    controller.judging.fetch_review(40, lambda _: None)
    desk.wait(lambda: controller.judging.reviewing)
    canvas, verdicts = controller.picture().canvas, {}
    for object_id in controller.judging.reviewing:
        left, top, right, bottom = bounds([canvas.feature(object_id)])[0]
        right_one = any(left <= p["x"] < right and top <= p["y"] < bottom and p["class"] == "lymphocyte" for p in points)
        verdicts[object_id] = ACCEPTED if right_one else REJECTED
    controller.judging.judge(verdicts)
    desk.wait(lambda: controller.intent().judgements == len(verdicts))
    controller.settings.refine_seconds = 5
    controller.refining.refine()
    desk.wait(lambda: controller.running is None)
    if controller.refining.refinement is None:
        assert controller.last_message[0] == "warning" and "Nothing has changed" in controller.last_message[1]
        return
    assert desk.widget.refine.keep.isVisibleTo(desk.widget) or not desk.widget.isVisible()
    controller.refining.keep()
    assert controller.refining.refinement is None and controller.intent().checkpoint_id is not None
    assert not {2 + 1, 4, 5} & {canvas.state(i) for i in canvas.ids}, "no mark of the change is left"


def test_a_dapi_image_of_real_tissue(desk: Any) -> None:
    from PIL import Image

    with Image.open(DATA / "dapi.png") as image:
        pixels = np.asarray(image)
    with Image.open(DATA / "dapi_instances.png") as image:
        truth = np.asarray(image)
    desk.viewer.add_image(pixels, name="DAPI", colormap="blue", scale=(0.3225, 0.3225))
    from skimage.measure import regionprops

    nuclei = [region for region in regionprops(truth) if region.area > 150]
    desk.controller.choose_intent("Nucleus", (0, 158, 115))
    desk.click(*[(region.centroid[1] + 0.5, region.centroid[0] + 0.5) for region in nuclei[10:40:10]], layer="DAPI")
    desk.find(intent="Nucleus")
    found = np.asarray(desk.viewer.layers["SAMPO objects: DAPI"].data) > 0
    hit = np.mean([found[tuple(np.round(region.centroid).astype(int))] for region in nuclei])
    assert hit > 0.5 and (found & (truth > 0)).sum() > 0.6 * found.sum()
    assert any("nuclear stain" in text for _, text in desk.said)
    assert desk.controller.stain_map() == ("haematoxylin",)


def test_channels_as_layers_are_one_picture_and_the_stains_can_be_changed(desk: Any) -> None:
    from PIL import Image

    with Image.open(DATA / "dapi.png") as image:
        pixels = np.asarray(image)
    marker = np.zeros_like(pixels)
    marker[:, 256:] = pixels[:, 256:]
    desk.viewer.add_image(pixels, name="Hoechst", scale=(0.3225, 0.3225))
    desk.viewer.add_image(marker, name="CD8", scale=(0.3225, 0.3225), blending="additive")
    desk.controller.choose_intent("Any", (1, 2, 3))
    desk.widget.refresh()
    assert "2 channels" in desk.widget.image.name.text()
    desk.click((100, 100), layer="Hoechst")
    desk.find(intent="Any")
    assert desk.controller.stain_map() == ("haematoxylin", "dab")
    desk.idle()
    assert desk.widget.image._boxes[1].itemText(0) == "guessed: marker"
    desk.widget.image._boxes[1].setCurrentIndex(4)
    desk.find(intent="Any")
    assert desk.controller.stain_map() == ("haematoxylin", "none")


def test_an_intent_works_on_the_next_image_without_a_click(desk: Any) -> None:
    layer = desk.found_breast()
    desk.viewer.add_image(layer.data[:, ::-1].copy(), name="next", rgb=True, scale=(0.5, 0.5), translate=(0, 300))
    desk.viewer.layers.selection.active = desk.viewer.layers["next"]
    desk.find()
    picture = desk.controller.picture()
    assert picture.image_layer.name == "next" and not picture.log.clicks and len(picture.canvas) > 30
    assert np.allclose(desk.viewer.layers["SAMPO objects: next"].translate, (0, 300))


def test_view_and_shape_bound_the_search(desk: Any) -> None:
    layer = desk.open_breast()
    desk.controller.choose_intent("Lymphocyte", (20, 60, 220))
    desk.click(*CLICKS)
    desk.viewer.add_shapes([np.array([[200, 250], [200, 450], [300, 450], [300, 250]])], shape_type="rectangle", scale=(0.5, 0.5))
    desk.find("shape")
    table = desk.viewer.layers["SAMPO objects: breast"].features
    assert len(table) and ((table["x"] > 245) & (table["x"] < 456) & (table["y"] > 195) & (table["y"] < 306)).all()
    layer.corner_pixels = np.array([[0, 0], [230, 230]])
    desk.find("view")
    table = desk.viewer.layers["SAMPO objects: breast"].features
    assert (table["x"] > 245).any() and ((table["x"] < 236) & (table["y"] < 236)).any(), "what was found elsewhere stays"


def test_live_view_searches_where_one_looks(desk: Any) -> None:
    desk.found_breast()
    desk.said.clear()
    desk.controller.searching.set_live(True)
    desk.wait_said("Found")
    desk.said.clear()
    camera_of(desk.viewer).zoom *= 2
    desk.wait_said("Found")
    desk.controller.searching.set_live(False)
    desk.wait(lambda: desk.controller.running is None)


def test_the_threshold_slider_needs_no_search(desk: Any) -> None:
    desk.found_breast()
    canvas = desk.controller.picture().canvas
    count = len(canvas)
    desk.widget.find.threshold.setValue(80)
    desk.wait(lambda: len(canvas) < count)
    desk.idle()
    assert desk.widget.find.value.text() == "0.80"
    desk.widget.find.auto.click()
    desk.wait(lambda: len(canvas) == count)


def test_undo_takes_back_clicks_and_judgements_in_their_order(desk: Any) -> None:
    desk.found_breast()
    controller = desk.controller
    picture = controller.picture()
    first, second = picture.canvas.ids[:2]
    controller.judging.judge({first: ACCEPTED})
    desk.wait(lambda: controller.intent().judgements == 1)
    desk.click((50, 50), positive=False)
    controller.judging.judge({second: REJECTED})
    desk.wait(lambda: controller.intent().judgements == 2)
    controller.undo()
    desk.wait(lambda: controller.intent().judgements == 1)
    assert picture.canvas.state(second) == 0 and picture.canvas.state(first) == ACCEPTED
    controller.undo()
    assert len(picture.log.clicks) == 3
    controller.undo()
    desk.wait(lambda: controller.intent().judgements == 0)
    for _ in range(4):
        controller.undo()
    assert not picture.log.clicks and "nothing to undo" in controller.last_message[1]


def test_napari_s_own_point_tools_move_and_delete_clicks(desk: Any) -> None:
    desk.open_breast()
    desk.controller.choose_intent("Lymphocyte")
    desk.click(*CLICKS)
    points, log = desk.viewer.layers["SAMPO clicks: breast"], desk.controller.picture().log
    points.selected_data = {0}
    points.remove_selected()
    assert [(click.x, click.y) for click in log.clicks] == [(float(x), float(y)) for x, y in CLICKS[1:]]
    points.add((100, 120))
    assert log.clicks[-1].x == 120.5 and log.clicks[-1].y == 100.5 and log.clicks[-1].intent == "Lymphocyte"
    desk.controller.picture().undo_click()
    assert len(points.data) == 2


def test_the_gallery_settles_a_page_in_one(desk: Any) -> None:
    desk.found_breast()
    desk.idle()
    desk.widget.judge.gallery.click()
    desk.wait(lambda: desk.widget.judge.findChildren(gallery_module.Gallery))
    gallery = desk.widget.judge.findChildren(gallery_module.Gallery)[0]
    assert len(gallery.buttons) == gallery_module.PAGE
    wrong = list(gallery.buttons)[:7]
    for object_id in wrong:
        gallery.buttons[object_id].click()
    gallery.buttons[wrong[0]].click()
    assert gallery.count.text() == "34 right · 6 wrong"
    gallery.accept()
    desk.wait(lambda: desk.controller.intent().judgements == 40)
    assert desk.controller.judging.judged_count() == (34, 6)


def test_the_best_outline_of_a_click_is_stored(desk: Any) -> None:
    desk.found_breast()
    desk.idle()
    desk.widget.judge.candidates.click()
    desk.wait(lambda: desk.widget.judge.findChildren(Candidates))
    window = desk.widget.judge.findChildren(Candidates)[0]
    next(iter(window.buttons.values())).click()
    desk.wait_said("this outline is better")
    assert desk.controller.intent().judgements == 1
    window.close()


def test_review_jumps_and_keys_judge(desk: Any) -> None:
    desk.found_breast()
    desk.controller.judging.review_next()
    level, text = desk.wait_said("Is this a Lymphocyte?")
    current = desk.controller.judging.reviewing[0]
    assert len(desk.viewer.layers["SAMPO review"].data) == 1
    desk.viewer.keymap  # the keys are bound at the viewer
    desk.controller.judging.judge_current(False)
    assert desk.controller.picture().canvas.state(current) == REJECTED and current not in desk.controller.judging.reviewing
    desk.wait(lambda: desk.controller.intent().judgements == 1)
    names = {str(key).upper() for key in desk.viewer.keymap}
    assert {"J", "K", "N", "U", "I"} <= names


def test_a_batch_over_open_layers_and_over_a_folder(desk: Any, server_state: Path, breast: np.ndarray) -> None:
    from PIL import Image

    desk.found_breast()
    desk.viewer.add_image(breast[:300, :300], name="part", rgb=True, scale=(0.5, 0.5))
    open_layers(desk.controller)
    level, text = desk.wait_said("Batch:")
    assert level == "note" and "in 2 pictures" in text
    assert "SAMPO Lymphocyte: part" in desk.viewer.layers
    folder = server_state.parent / "files" / "batch"
    folder.mkdir()
    for number in range(2):
        Image.fromarray(breast[: 200 + number]).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("x")
    files = picture_files(folder)
    assert [path.name for path in files] == ["0.png", "1.png", "broken.png"]
    desk.said.clear()
    run_folder(desk.controller, files, folder / "sampo")
    level, text = desk.wait_said("Batch:")
    assert level == "error" and "1 picture failed" in text and "broken" in text
    assert sorted(path.name for path in (folder / "sampo").iterdir()) == ["0.geojson", "1.geojson", "summary.json"]
    assert json.loads((folder / "sampo/summary.json").read_text())["failed"][0]["name"] == "broken"


def test_intents_are_renamed_coloured_and_deleted(desk: Any) -> None:
    desk.found_breast()
    controller = desk.controller
    controller.recolor_intent((200, 10, 10))
    desk.wait(lambda: controller.intent().color == (200, 10, 10))
    controller.rename_intent("T cell")
    desk.wait(lambda: controller.intent() is not None and controller.intent().name == "T cell")
    assert controller.picture().log.intents() == ["T cell"]
    controller.delete_intent()
    desk.wait(lambda: controller.intents == [])


def test_a_writer_refuses_other_labels_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no outlines of SAMPO"):
        write_objects(str(tmp_path / "x.geojson"), np.zeros((3, 3), int), {"name": "mine", "metadata": {}})


def test_manifest_contributions_are_there(desk: Any, tmp_path: Path) -> None:
    import npe2

    manifest = npe2.PluginManifest.from_distribution("napari-sampo")
    assert {command.id for command in manifest.contributions.commands} >= {"napari-sampo.widget", "napari-sampo.read_objects"}
    for command in manifest.contributions.commands:
        assert callable(command.get_callable()) if hasattr(command, "get_callable") else command.exec
    desk.viewer.open_sample("napari-sampo", "breast")
    assert desk.viewer.layers["breast"].data.shape == (465, 465, 3)
    desk.found = desk.controller.choose_intent("Lymphocyte", (20, 60, 220))
    desk.click(*CLICKS)
    desk.find()
    path = tmp_path / "saved.geojson"
    written = desk.viewer.layers["SAMPO objects: breast"].save(str(path), plugin="napari-sampo")
    assert written and json.loads(path.read_text(encoding="utf-8"))["features"]
    desk.viewer.open(str(path), plugin="napari-sampo")
    assert len(desk.viewer.layers["saved"].features) == len(desk.controller.picture().canvas)
