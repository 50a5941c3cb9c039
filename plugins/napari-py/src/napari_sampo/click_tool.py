"""The click tool: a click on the picture is an example; a drag still moves the view."""

from __future__ import annotations

from typing import Any, Iterator

from .controller import Controller

#: A press that moves further than this before release is a drag, px of the screen.
DRAG = 4.0


class ClickTool:
    """Hears the viewer's mouse while it is on. Left click: one of these. Shift or right click, or `negative`: not this."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.negative = False
        self._on = False

    @property
    def on(self) -> bool:
        return self._on

    def set(self, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        callbacks = self._controller.viewer.mouse_drag_callbacks
        if on:
            callbacks.append(self._pressed)
            picture = self._controller.current_picture()
            if picture is not None:
                # A Points or Labels layer in a drawing mode would take the click for itself; and layers made now do not halt a search.
                picture.ensure_labels()
                picture.ensure_points()
                self._controller.viewer.layers.selection.active = picture.image_layer
        elif self._pressed in callbacks:
            callbacks.remove(self._pressed)

    def _pressed(self, viewer: Any, event: Any) -> Iterator[None]:
        positive = not (self.negative or "Shift" in [str(getattr(key, "name", key)) for key in event.modifiers] or event.button == 2)
        start, position = tuple(event.pos), tuple(event.position)
        dragged = False
        yield
        while event.type == "mouse_move":
            dragged = dragged or max(abs(now - then) for now, then in zip(event.pos, start)) > DRAG
            yield
        if not dragged and event.button in (1, 2):
            self._controller.click(position, positive)
