"""Objects as a label image that can change under a viewer. Pure numpy.

A label is row * SLOTS + slot, where the row is that of the table and the slot says class and state. A viewer's cyclic
colormap of SLOTS colours then gives each class its colour, however many objects there are: a colormap of one entry for each
object takes seconds above 10,000, and napari's own refuses more than 65,535 without numba.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Sequence

import numpy as np

from sampo_client.rasterize import bounds, fill
from sampo_client.results import class_color, class_name, table_of

#: What the user or a refinement said of an object.
FOUND, ACCEPTED, REJECTED, ADDED, RESHAPED, REMOVED = range(6)
STATE_NAMES = ("found", "accepted", "rejected", "added", "reshaped", "removed")
#: Classes that have a colour of their own in one picture; later ones share the last.
CLASSES = 20
#: Colours of the colormap: one of each state for each class.
SLOTS = CLASSES * len(STATE_NAMES)
#: Pixels of a canvas, 4 bytes each; of a larger picture only the searched part is kept.
LARGEST = 150_000_000


class LabelCanvas:
    """The label array of one picture, its rows, and what changed.

    labels: int32 [rows, columns]; origin: x, y of its corner in image px.
    """

    def __init__(self, width: int, height: int, origin: tuple[int, int] = (0, 0)) -> None:
        self.labels = np.zeros((height, width), np.int32)
        self.origin = origin
        self.features: list[Optional[Mapping[str, Any]]] = []
        self.states: list[int] = []
        self.classes: list[str] = []
        self.colors: list[tuple[int, int, int]] = []
        self._row_of: dict[str, int] = {}

    @property
    def levels(self) -> list[np.ndarray]:
        """The labels at falling resolutions: views, so they change with the array. Large pictures are drawn from the small ones."""
        step, levels = 1, [self.labels]
        while max(self.labels.shape) / step > 1024:
            step *= 2
            levels.append(self.labels[::step, ::step])
        return levels

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, object_id: str) -> bool:
        return object_id in self._row_of

    @property
    def ids(self) -> list[str]:
        return list(self._row_of)

    def feature(self, object_id: str) -> Mapping[str, Any]:
        feature = self.features[self._row_of[object_id]]
        assert feature is not None
        return feature

    def state(self, object_id: str) -> int:
        return self.states[self._row_of[object_id]]

    def label(self, object_id: str) -> int:
        """The value of an object's pixels."""
        return self._label(self._row_of[object_id])

    def listed(self) -> list[Mapping[str, Any]]:
        """All objects, in the order in which they came."""
        return [feature for feature in self.features if feature is not None]

    def put(self, features: Sequence[Mapping[str, Any]], state: int = FOUND) -> None:
        """Draws objects; one whose id is there already is drawn anew in its place, and keeps its state when `state` is FOUND."""
        fresh: list[Mapping[str, Any]] = []
        values: list[int] = []
        for feature in features:
            object_id = feature["id"]
            row = self._row_of.get(object_id)
            if row is None:
                row = len(self.features)
                self._row_of[object_id] = row
                self.features.append(feature)
                self.states.append(state)
            else:
                self._erase(row)
                self.features[row] = feature
                self.states[row] = state if state != FOUND else self.states[row]
            fresh.append(feature)
            values.append(self._label(row))
        self._fill(fresh, values)

    def remove(self, object_ids: Iterable[str]) -> None:
        """Takes objects away; unknown ids are passed over."""
        for object_id in object_ids:
            row = self._row_of.pop(object_id, None)
            if row is not None:
                self._erase(row)
                self.features[row] = None

    def clear(self) -> None:
        self.labels[:] = 0
        self.features, self.states = [], []
        self._row_of = {}

    def set_state(self, object_id: str, state: int) -> None:
        """Marks an object; only its own pixels change."""
        row = self._row_of.get(object_id)
        if row is None or self.states[row] == state:
            return
        window, before = self._window(row), self._label(row)
        self.states[row] = state
        if window is not None:
            window[window == before] = self._label(row)

    def at(self, x: float, y: float) -> Optional[str]:
        """Id of the object drawn at a place in image px."""
        column, row = int(np.floor(x - self.origin[0])), int(np.floor(y - self.origin[1]))
        if not (0 <= row < self.labels.shape[0] and 0 <= column < self.labels.shape[1]):
            return None
        label = int(self.labels[row, column])
        feature = self.features[(label - 1) // SLOTS] if label else None
        return None if feature is None else str(feature["id"])

    def inside(self, region: tuple[float, float, float, float]) -> list[str]:
        """Ids of objects whose middle lies in x, y, width, height."""
        listed = self.listed()
        left, top, right, bottom = bounds(listed).T
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        x, y, width, height = region
        hit = (middle_x >= x) & (middle_x < x + width) & (middle_y >= y) & (middle_y < y + height)
        return [str(listed[index]["id"]) for index in np.flatnonzero(hit)]

    def table(self) -> dict[str, np.ndarray]:
        """Columns for a features table; `index` is the label."""
        rows = [row for row, feature in enumerate(self.features) if feature is not None]
        columns = table_of([self.features[row] for row in rows])  # type: ignore[misc]
        del columns["label"]
        index = np.array([self._label(row) for row in rows], dtype=np.int64)
        return {"index": index, **columns, "state": np.array([STATE_NAMES[self.states[row]] for row in rows], dtype=object)}

    def palette(self) -> np.ndarray:
        """[SLOTS + 1, 4] RGBA of 0 to 1 for the colormap; the first is the background."""
        colors = np.zeros((SLOTS + 1, 4), np.float32)
        for index, color in enumerate(self.colors[:CLASSES]):
            base = np.array(color, np.float32) / 255
            for state in range(len(STATE_NAMES)):
                colors[1 + index * len(STATE_NAMES) + state] = shade(base, state)
        return colors

    def _label(self, row: int) -> int:
        feature = self.features[row]
        assert feature is not None
        name = class_name(feature)
        if name not in self.classes:
            self.classes.append(name)
            self.colors.append(class_color(feature))
        kind = min(self.classes.index(name), CLASSES - 1)
        return row * SLOTS + 1 + kind * len(STATE_NAMES) + self.states[row]

    def _window(self, row: int) -> Optional[np.ndarray]:
        """The part of the array around an object."""
        feature = self.features[row]
        if feature is None:
            return None
        left, top, right, bottom = bounds([feature])[0] - (*self.origin, *self.origin)
        return self.labels[max(int(top), 0) : max(int(np.ceil(bottom)), 0), max(int(left), 0) : max(int(np.ceil(right)), 0)]

    def _erase(self, row: int) -> None:
        window = self._window(row)
        if window is not None:
            window[(window > 0) & ((window - 1) // SLOTS == row)] = 0

    def _fill(self, features: Sequence[Mapping[str, Any]], values: Sequence[int]) -> None:
        fill(self.labels, features, values, self.origin)


def shade(color: np.ndarray, state: int) -> np.ndarray:
    """RGBA of a state: found as the class, accepted in full, rejected a faint grey, changes of a refinement in colours of their own."""
    if state == ACCEPTED:
        return np.array([*(color * 0.75), 1.0], np.float32)
    if state == REJECTED:
        return np.array([0.6, 0.6, 0.6, 0.35], np.float32)
    if state == ADDED:
        return np.array([0.1, 0.8, 0.3, 1.0], np.float32)
    if state == RESHAPED:
        return np.array([1.0, 0.75, 0.1, 1.0], np.float32)
    if state == REMOVED:
        return np.array([0.9, 0.1, 0.2, 0.6], np.float32)
    return np.array([*color, 1.0], np.float32)
