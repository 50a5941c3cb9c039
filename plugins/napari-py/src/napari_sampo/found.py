"""What was found in one picture: which search each object came from, and how its canvas follows. No Qt, no napari."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional, Sequence

from sampo_client import Objects
from sampo_client.results import class_name

from .label_canvas import ADDED, FOUND, REJECTED, REMOVED, RESHAPED, LabelCanvas


@dataclass
class Snapshot:
    """Objects and their states at one moment."""

    features: list[Mapping[str, Any]]
    states: dict[str, int]


@dataclass
class Change:
    """What a refinement did, by ids."""

    added: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{len(self.added)} added, {len(self.removed)} removed, {len(self.reshaped)} reshaped"


class Found:
    """The searches of one picture that the server still holds. Locked: jobs and the window use it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        #: result id to its objects under the filters of that moment.
        self.results: dict[str, Objects] = {}
        self._result_of: dict[str, str] = {}

    def result_of(self, object_id: str) -> Optional[Objects]:
        return self.results.get(self._result_of.get(object_id, ""))

    def image_ids(self) -> set[str]:
        return {objects.image_id for objects in self.results.values()}

    def latest(self) -> Optional[Objects]:
        return next(reversed(self.results.values()), None)

    def forget(self) -> None:
        """The server that held the searches is gone."""
        with self.lock:
            self.results, self._result_of = {}, {}

    def take(self, canvas: LabelCanvas, objects: Objects, region: Optional[tuple[float, float, float, float]], names: Iterable[str]) -> None:
        """A search has ended: what it found replaces what these classes had in its region (all of the picture when None)."""
        with self.lock:
            kept = set(objects.ids)
            replaced = set(names)
            here = canvas.ids if region is None else canvas.inside(region)
            canvas.remove([i for i in here if i not in kept and class_name(canvas.feature(i)) in replaced])
            canvas.put([feature for feature in objects.features if feature["id"] not in canvas or canvas.feature(feature["id"]) != feature])
            if region is None:
                self.results = {key: value for key, value in self.results.items() if not set(value.intent_ids) <= set(objects.intent_ids)}
            self._keep(objects)

    def refilter(self, canvas: LabelCanvas, objects: Objects) -> None:
        """Other filters over a search: objects come and go, ids and marks stay."""
        with self.lock:
            mine = [object_id for object_id, result in self._result_of.items() if result == objects.result_id and object_id in canvas]
            kept = set(objects.ids)
            canvas.remove([object_id for object_id in mine if object_id not in kept])
            canvas.put([feature for feature in objects.features if feature["id"] not in canvas])
            self._keep(objects)

    def publish(self, canvas: LabelCanvas, events: Sequence[Mapping[str, Any]], mark: bool) -> Change:
        """What the server says has changed (objects/publish). mark: shows what is new, other and gone, instead of taking it away."""
        change = Change()
        with self.lock:
            for event in events:
                holder = next((o for o in reversed(self.results.values()) if o.image_id == event["imageId"] and event["intentId"] in o.intent_ids), None)
                if holder is None:
                    continue
                before = {feature["id"]: feature for feature in event["changed"] if feature["id"] in canvas}
                reshaped = [i for i, feature in before.items() if canvas.feature(i)["geometry"] != feature["geometry"]]
                canvas.put(event["changed"])
                fresh = [feature for feature in event["added"] if feature["id"] not in canvas]
                canvas.put(fresh, ADDED if mark else FOUND)
                # What the user has rejected stays as the grey outline that says so.
                gone = [i for i in event["removed"] if i in canvas and canvas.state(i) != REJECTED]
                if mark:
                    for object_id in reshaped:
                        if canvas.state(object_id) == FOUND:
                            canvas.set_state(object_id, RESHAPED)
                    for object_id in gone:
                        canvas.set_state(object_id, REMOVED)
                else:
                    canvas.remove(gone)
                change.added += [feature["id"] for feature in fresh]
                change.reshaped += reshaped
                change.removed += gone
                self._keep(holder.changed(event["added"], event["changed"], event["removed"]))
        return change

    def adopt(self, result_id: str, object_ids: Iterable[str]) -> None:
        """Objects of a search that its filters hide, and that are shown for review."""
        with self.lock:
            for object_id in object_ids:
                self._result_of[object_id] = result_id

    def settle(self, canvas: LabelCanvas) -> None:
        """The refinement is kept: marks of its changes go."""
        with self.lock:
            for object_id in canvas.ids:
                state = canvas.state(object_id)
                if state == REMOVED:
                    canvas.remove([object_id])
                elif state in (ADDED, RESHAPED):
                    canvas.set_state(object_id, FOUND)

    def snapshot(self, canvas: LabelCanvas) -> Snapshot:
        with self.lock:
            return Snapshot(canvas.listed(), {object_id: canvas.state(object_id) for object_id in canvas.ids})

    def restore(self, canvas: LabelCanvas, snapshot: Snapshot) -> None:
        """Draws a snapshot again. Rows, and so labels, start anew."""
        with self.lock:
            canvas.clear()
            by_state: dict[int, list[Mapping[str, Any]]] = {}
            for feature in snapshot.features:
                by_state.setdefault(snapshot.states[feature["id"]], []).append(feature)
            for state, features in by_state.items():
                canvas.put(features, state)

    def _keep(self, objects: Objects) -> None:
        self.results.pop(objects.result_id, None)
        self.results[objects.result_id] = objects
        for object_id in objects.ids:
            self._result_of[object_id] = objects.result_id


def by_result(found: Found, object_ids: Iterable[str]) -> dict[str, list[str]]:
    """Object ids by the search they came from; those whose search is gone stand under ""."""
    groups: dict[str, list[str]] = {}
    for object_id in object_ids:
        objects = found.result_of(object_id)
        groups.setdefault(objects.result_id if objects else "", []).append(object_id)
    return groups
