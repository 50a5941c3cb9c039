"""Objects as labels that change, and clicks with undo. No window."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_sampo.click_log import CLICK, NOT_THIS, ClickLog, PlacedClick
from napari_sampo.found import Found, by_result
from napari_sampo.label_canvas import ACCEPTED, ADDED, FOUND, REJECTED, REMOVED, RESHAPED, SLOTS, LabelCanvas
from sampo_client import Objects


def square(object_id: str, x: float, y: float, size: float = 4, name: str = "T", color: tuple[int, int, int] = (10, 20, 30)) -> dict[str, Any]:
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return {
        "type": "Feature", "id": object_id, "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "detection", "classification": {"name": name, "color": list(color)}, "measurements": {"SAMPO score": 0.5}},
    }


def test_each_object_has_one_label_and_its_class_a_colour() -> None:
    canvas = LabelCanvas(30, 20)
    canvas.put([square("a", 1, 1), square("b", 10, 1), square("c", 20, 1, name="S", color=(200, 0, 0))])
    labels = {object_id: canvas.label(object_id) for object_id in "abc"}
    assert len(set(labels.values())) == 3 and all((canvas.labels == label).sum() == 16 for label in labels.values())
    palette = canvas.palette()
    colour = {object_id: palette[(label - 1) % SLOTS + 1] for object_id, label in labels.items()}
    assert np.allclose(colour["a"], colour["b"]) and np.allclose(colour["a"][:3] * 255, (10, 20, 30), atol=0.5)
    assert np.allclose(colour["c"][:3] * 255, (200, 0, 0), atol=0.5)
    assert list(canvas.table()["index"]) == list(labels.values())


def test_more_classes_than_colours_still_have_their_names() -> None:
    canvas = LabelCanvas(200, 20)
    canvas.put([square(str(index), 5 * index, 1, 3, name=f"class {index}") for index in range(30)])
    assert list(canvas.table()["class"]) == [f"class {index}" for index in range(30)]
    assert len(np.unique(canvas.labels)) == 31


def test_states_change_only_the_object_and_come_back() -> None:
    canvas = LabelCanvas(30, 20)
    canvas.put([square("a", 1, 1), square("b", 3, 3)])
    before = canvas.labels.copy()
    canvas.set_state("a", REJECTED)
    assert canvas.state("a") == REJECTED and canvas.at(1.5, 1.5) == "a" and canvas.at(4.5, 4.5) == "b"
    canvas.set_state("a", FOUND)
    assert np.array_equal(canvas.labels, before)


def test_put_again_moves_and_keeps_the_mark_and_remove_frees() -> None:
    canvas = LabelCanvas(30, 20)
    canvas.put([square("a", 1, 1)])
    canvas.set_state("a", ACCEPTED)
    canvas.put([square("a", 10, 10)])
    assert canvas.at(2, 2) is None and canvas.at(11, 11) == "a" and canvas.state("a") == ACCEPTED
    canvas.remove(["a", "unknown"])
    assert len(canvas) == 0 and not canvas.labels.any() and canvas.at(11, 11) is None


def test_objects_at_and_over_the_edge() -> None:
    canvas = LabelCanvas(10, 10, origin=(100, 50))
    canvas.put([square("a", 98, 48), square("b", 108, 58), square("c", 500, 500)])
    assert canvas.at(100.5, 50.5) == "a" and canvas.at(109.9, 59.9) == "b" and canvas.at(99, 49) is None
    canvas.set_state("c", REJECTED)
    canvas.remove("abc")
    assert not canvas.labels.any()


def test_levels_are_views_of_the_same_labels() -> None:
    canvas = LabelCanvas(3000, 2000)
    assert [level.shape for level in canvas.levels] == [(2000, 3000), (1000, 1500), (500, 750)]
    small = canvas.levels[-1]
    canvas.put([square("a", 100, 100, 200)])
    assert small.any()
    assert len(LabelCanvas(500, 500).levels) == 1


def objects(*features: dict[str, Any], result: str = "r", intent: str = "i") -> Objects:
    return Objects(features, 30, 20, result, "image", (intent,))


def test_a_search_replaces_what_its_classes_had_in_its_region() -> None:
    canvas, found = LabelCanvas(60, 60), Found()
    found.take(canvas, objects(square("a", 1, 1), square("b", 40, 40), result="1"), None, ["T"])
    canvas.set_state("a", ACCEPTED)
    canvas.put([square("other", 5, 20, name="S")])
    found.take(canvas, objects(square("c", 8, 8), result="2"), (0, 0, 30, 30), ["T"])
    assert set(canvas.ids) == {"b", "other", "c"}, "outside the region and of another class they stay"
    assert by_result(found, ["b", "c", "gone"]) == {"1": ["b"], "2": ["c"], "": ["gone"]}
    found.take(canvas, objects(square("c", 8, 8), result="3"), None, ["T"])
    assert set(canvas.ids) == {"other", "c"} and set(found.results) == {"3"}


def test_another_threshold_keeps_marks() -> None:
    canvas, found = LabelCanvas(60, 60), Found()
    found.take(canvas, objects(square("a", 1, 1), square("b", 10, 10)), None, ["T"])
    canvas.set_state("a", ACCEPTED)
    found.refilter(canvas, objects(square("a", 1, 1)))
    assert canvas.ids == ["a"] and canvas.state("a") == ACCEPTED
    found.refilter(canvas, objects(square("a", 1, 1), square("b", 10, 10)))
    assert set(canvas.ids) == {"a", "b"}


def event(**change: Any) -> dict[str, Any]:
    return {"imageId": "image", "intentId": "i", "added": [], "changed": [], "removed": [], **change}


def test_a_refinement_is_marked_then_settled_or_taken_back() -> None:
    canvas, found = LabelCanvas(60, 60), Found()
    found.take(canvas, objects(square("a", 1, 1), square("b", 10, 10), square("c", 20, 20), square("d", 40, 40)), None, ["T"])
    canvas.set_state("d", REJECTED)
    before = found.snapshot(canvas)
    change = found.publish(canvas, [event(added=[square("n", 30, 30)], changed=[square("a", 2, 2), square("b", 10, 10)], removed=["c", "d"])], mark=True)
    assert (change.added, change.reshaped, change.removed) == (["n"], ["a"], ["c"])
    assert [canvas.state(object_id) for object_id in "nabcd"] == [ADDED, RESHAPED, FOUND, REMOVED, REJECTED]
    after = found.snapshot(canvas)
    found.restore(canvas, before)
    assert set(canvas.ids) == set("abcd") and canvas.at(1.5, 1.5) == "a"
    found.restore(canvas, after)
    found.settle(canvas)
    assert set(canvas.ids) == set("nabd") and canvas.state("n") == FOUND
    assert found.latest().ids == ("a", "b", "n")


def test_events_of_another_image_or_intent_change_nothing() -> None:
    canvas, found = LabelCanvas(60, 60), Found()
    found.take(canvas, objects(square("a", 1, 1)), None, ["T"])
    found.publish(canvas, [event(imageId="other", removed=["a"]), event(intentId="other", removed=["a"])], mark=False)
    assert canvas.ids == ["a"]


def test_clicks_are_undone_and_redone_and_survive_a_rename() -> None:
    log = ClickLog()
    log.add(PlacedClick(1, 2, "A"))
    log.add(PlacedClick(3, 4, "A", NOT_THIS))
    log.add(PlacedClick(5, 6, "B"))
    assert log.intents() == ["A", "B"]
    assert log.examples("A").clicks == [(1, 2)] and log.examples("A").not_these == [(3, 4)]
    log.rename("A", "C")
    log.undo()
    log.undo()
    assert log.clicks == (PlacedClick(1, 2, "C", CLICK),) and log.can_redo
    log.redo()
    assert len(log.clicks) == 2
    log.add(PlacedClick(7, 7, "C"))
    assert not log.can_redo
    for _ in range(9):
        log.undo()
    assert log.clicks == () and not log.can_undo
