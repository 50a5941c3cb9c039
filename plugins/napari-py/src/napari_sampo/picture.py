"""One picture in the viewer: its image layers, its clicks, its objects, and the two layers that show them."""

from __future__ import annotations

from typing import Any, Callable, Optional, Sequence

import numpy as np

from sampo_client import ArrayImage

from .click_log import CLICK, NOT_THIS, ClickLog, PlacedClick
from .coordinates import data_to_image, image_size, image_to_data
from .found import Found
from .label_canvas import LARGEST, LabelCanvas

#: Pictures up to this size, px, show outlines from the start; napari computes them anew at each drawing.
OUTLINES_UP_TO = 400_000
#: A ring of review is this much larger than the object.
RING = 1.7


class Picture:
    """The plugin's layers beside an image layer. All of it belongs to the window's thread, but for the canvas while a job draws."""

    def __init__(self, viewer: Any, layers: Sequence[Any], on_clicks: Callable[[], None]) -> None:
        self.viewer, self.layers = viewer, list(layers)
        self.image_layer = layers[0]
        self.log = ClickLog()
        self.found = Found()
        self.width, self.height = image_size(self.image_layer)
        self.canvas = self._new_canvas((0, 0, self.width, self.height))
        self.points: Any = None
        self.labels: Any = None
        self.ring: Any = None
        self.outlines = self.width * self.height <= OUTLINES_UP_TO
        self._on_clicks = on_clicks
        self._syncing = False
        #: The image as the client has it, and what it was made from: made anew when any of it changes.
        self.source: Optional[ArrayImage] = None
        self.source_key: Any = None

    def is_of(self, layers: Sequence[Any]) -> bool:
        return self.layers == list(layers)

    def is_gone(self) -> bool:
        return any(layer not in self.viewer.layers for layer in self.layers)

    # -- clicks --------------------------------------------------------------------------------------------------------

    def ensure_points(self) -> Any:
        """The Points layer of the clicks; made anew when the user has deleted it."""
        if self.points is None or self.points not in self.viewer.layers:
            active = self.viewer.layers.selection.active
            self.points = self.viewer.add_points(
                np.zeros((0, 2)), ndim=2, name=f"SAMPO clicks: {self.image_layer.name}", features={"intent": np.array([], object), "kind": np.array([], object)},
                size=self._dot_size(), **self._placement(),
            )
            self.points.events.data.connect(self._points_changed)
            self._show_clicks()
            self.viewer.layers.selection.active = active if active in self.viewer.layers else self.image_layer
        return self.points

    def add_click(self, click: PlacedClick) -> None:
        self.log.add(click)
        self.ensure_points()
        self._show_clicks()
        self._on_clicks()

    def undo_click(self) -> None:
        self.log.undo()
        self._show_clicks()
        self._on_clicks()

    def redo_click(self) -> None:
        self.log.redo()
        self._show_clicks()
        self._on_clicks()

    def _points_changed(self, event: Any = None) -> None:
        """The user has moved, added or deleted dots with napari's own tools."""
        action = str(getattr(event, "action", "changed")).lower()
        if self._syncing or action.endswith(("adding", "removing", "changing")):
            return
        places = data_to_image(self.points.data)
        intents, kinds = list(self.points.features["intent"]), list(self.points.features["kind"])
        known = [str(name) for name in intents if isinstance(name, str) and name]
        fallback = known[-1] if known else ""
        self.log.set(
            [
                PlacedClick(float(x), float(y), name if isinstance(name, str) and name else fallback, kind if kind in (CLICK, NOT_THIS) else CLICK)
                for (x, y), name, kind in zip(places, intents, kinds)
            ]
        )
        self._on_clicks()

    def _show_clicks(self) -> None:
        """Brings the Points layer to what the log says."""
        if self.points is None or self.points not in self.viewer.layers:
            return
        clicks = self.log.clicks
        self._syncing = True
        try:
            self.points.data = image_to_data([(click.x, click.y) for click in clicks]) if clicks else np.zeros((0, 2))
            self.points.features = {"intent": np.array([c.intent for c in clicks], object), "kind": np.array([c.kind for c in clicks], object)}
            if clicks:
                self.points.face_color = np.array([[1.0, 0.92, 0.2, 1.0] if c.kind == CLICK else [0.15, 0.15, 0.15, 1.0] for c in clicks])
                self.points.border_color = np.array([[0.1, 0.1, 0.1, 1.0] if c.kind == CLICK else [1.0, 0.3, 0.3, 1.0] for c in clicks])
                self.points.size = self._dot_size()
            self.points.selected_data = set()
        finally:
            self._syncing = False

    def _dot_size(self) -> float:
        """Of a dot, in data px, so that it covers about a nucleus at any zoom that makes sense."""
        return float(np.clip(min(self.width, self.height) / 60, 5, 14))

    # -- objects -------------------------------------------------------------------------------------------------------

    def ensure_labels(self) -> Any:
        """The Labels layer of the objects. Making a layer costs napari a moment, so it is made before a search, not in it."""
        if self.labels is None or self.labels not in self.viewer.layers:
            active = self.viewer.layers.selection.active
            levels = self.canvas.levels
            self.labels = self.viewer.add_labels(
                levels if len(levels) > 1 else levels[0], multiscale=len(levels) > 1, name=f"SAMPO objects: {self.image_layer.name}", opacity=0.6,
                colormap=self._colormap(), **self._placement(self.canvas.origin),
            )
            self.show_outlines(self.outlines)
            self.viewer.layers.selection.active = active if active in self.viewer.layers else self.image_layer
            self._raise_points()
        return self.labels

    def make_room(self, region: tuple[int, int, int, int]) -> None:
        """Of a picture too large for one array: moves the canvas to a region outside it. What was found elsewhere is left out."""
        x, y, width, height = region
        left, top = self.canvas.origin
        rows, columns = self.canvas.labels.shape
        if left <= x and top <= y and x + width <= left + columns and y + height <= top + rows:
            return
        self.canvas = self._new_canvas(region)
        if self.labels is not None and self.labels in self.viewer.layers:
            self.viewer.layers.remove(self.labels)
        self.labels = None

    def _new_canvas(self, region: tuple[int, int, int, int]) -> LabelCanvas:
        if self.width * self.height <= LARGEST:
            return LabelCanvas(self.width, self.height)
        x, y, width, height = region
        # A square about the middle of the region, as large as may be.
        side = int(LARGEST**0.5)
        across, down = min(self.width, max(side, width)), min(self.height, max(side, height))
        if across * down > 2 * LARGEST:
            across, down = side, side
        left = int(np.clip(x + width // 2 - across // 2, 0, self.width - across))
        top = int(np.clip(y + height // 2 - down // 2, 0, self.height - down))
        return LabelCanvas(across, down, (left, top))

    def show_objects(self, table: Optional[dict[str, np.ndarray]] = None) -> None:
        """Draws the canvas; with a table, the features too."""
        if self.labels is None or self.labels not in self.viewer.layers:
            return
        if not np.array_equal(self._shown_palette, self.canvas.palette()):
            self.labels.colormap = self._colormap()
        if table is not None:
            self.labels.features = table
        self.labels.refresh()

    def _colormap(self) -> Any:
        from napari.utils.colormaps import CyclicLabelColormap

        self._shown_palette = self.canvas.palette()
        return CyclicLabelColormap(colors=self._shown_palette, name="SAMPO classes", display_name="SAMPO classes")

    def show_outlines(self, on: bool) -> None:
        """Outlines, so that the tissue can be seen, or filled objects."""
        self.outlines = on
        if self.labels is not None:
            self.labels.contour = 2 if on else 0
            self.labels.opacity = 0.9 if on else 0.6

    def mark(self, box: Optional[Sequence[float]]) -> None:
        """A ring around the object under review, given as left, top, right, bottom in image px; None takes it away."""
        if self.ring is not None and self.ring not in self.viewer.layers:
            self.ring = None
        if box is None:
            if self.ring is not None:
                self.ring.data = np.zeros((0, 2))
            return
        left, top, right, bottom = box
        centre = image_to_data([((left + right) / 2, (top + bottom) / 2)])
        if self.ring is None:
            active = self.viewer.layers.selection.active
            self.ring = self.viewer.add_points(centre, ndim=2, name="SAMPO review", face_color="transparent", border_color="#00e5ff", border_width=0.08, **self._placement())
            self.viewer.layers.selection.active = active if active in self.viewer.layers else self.image_layer
        self.ring.data = centre
        self.ring.size = RING * max(right - left, bottom - top)
        self.ring.selected_data = set()

    def _raise_points(self) -> None:
        if self.points is not None and self.points in self.viewer.layers:
            layers = self.viewer.layers
            layers.move(layers.index(self.points), len(layers))

    def _placement(self, origin: tuple[int, int] = (0, 0)) -> dict[str, Any]:
        """Scale, translate and units of the image layer's rows and columns; moved to an origin inside it."""
        layer = self.image_layer
        scale = np.asarray(layer.scale, dtype=float)[-2:]
        translate = np.asarray(layer.translate, dtype=float)[-2:] + scale * (origin[1], origin[0])
        placement: dict[str, Any] = {"scale": scale, "translate": translate}
        units = getattr(layer, "units", None)
        if units is not None:
            placement["units"] = tuple(units)[-2:]
        return placement
