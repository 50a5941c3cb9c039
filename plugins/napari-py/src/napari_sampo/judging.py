"""Accept and reject: under the mouse, in a review of the most uncertain, or many at once; with undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Optional, Sequence

from sampo_client.rasterize import bounds
from sampo_client.results import class_name

from .coordinates import camera_of, world_to_image
from .found import by_result
from .label_canvas import ACCEPTED, FOUND, REJECTED
from .picture import Picture
from .words import SEARCH_AGAIN

if TYPE_CHECKING:
    from .controller import Controller

#: Objects fetched for review at a time.
REVIEW_PAGE = 40
#: An object under review is shown at least this large, px of the screen.
REVIEW_SIZE = 60.0


class Judging:
    """Judgements of a viewer's pictures."""

    def __init__(self, desk: "Controller") -> None:
        self._desk = desk
        #: Ids to judge next, the most uncertain first.
        self.reviewing: list[str] = []
        self._judged: list[tuple[Picture, str, list[tuple[str, int, int]]]] = []

    def object_under_cursor(self) -> Optional[str]:
        picture = self._desk.current_picture()
        if picture is None:
            return None
        x, y = world_to_image(picture.image_layer, self._desk.viewer.cursor.position)
        return picture.canvas.at(x, y)

    def judge_current(self, accept: bool) -> None:
        """Judges the object under review, or the one under the mouse."""
        current = self.reviewing[0] if self.reviewing else self.object_under_cursor()
        if current is None:
            self._desk.say("note", "Point at an object, or press “Review next”, then accept or reject.")
            return
        self.judge({current: ACCEPTED if accept else REJECTED})
        if self.reviewing:
            self.reviewing.pop(0)
            self.review_next()

    def judge(self, verdicts: dict[str, int]) -> None:
        """Stores verdicts (object id to ACCEPTED or REJECTED); they show at once."""
        picture = self._desk.current_picture()
        if picture is None or not verdicts:
            return
        groups = by_result(picture.found, verdicts)
        if "" in groups:
            self._desk.say("warning", SEARCH_AGAIN)
            return
        canvas = picture.canvas
        moved = [(i, canvas.state(i) if i in canvas else FOUND, state) for i, state in verdicts.items()]
        self._mark(picture, [(i, after) for i, _, after in moved])
        for result_id, ids in groups.items():
            objects = picture.found.results[result_id]
            for intent_id, mine in self._by_intent(picture, objects, ids).items():
                part = [row for row in moved if row[0] in set(mine)]
                accept, reject = [i for i in mine if verdicts[i] == ACCEPTED], [i for i in mine if verdicts[i] == REJECTED]
                self._judged.append((picture, intent_id, part))
                self._desk.actions.append("judge")
                self._desk.short(
                    "Judging",
                    lambda session, o=objects, a=accept, r=reject, n=intent_id: (session.judge(o, accept=a, reject=r, intent=n), session.intents())[1],
                    self._desk.set_intents,
                    lambda part=part: self._mark(picture, [(i, before) for i, before, _ in part]),
                )

    def _by_intent(self, picture: Picture, objects: Any, ids: Sequence[str]) -> dict[str, list[str]]:
        if len(objects.intent_ids) == 1:
            return {objects.intent_ids[0]: list(ids)}
        groups: dict[str, list[str]] = {}
        for object_id in ids:
            name = class_name(picture.canvas.feature(object_id)) if object_id in picture.canvas else ""
            intent = next((i for i in self._desk.intents if i.name == name and i.intent_id in objects.intent_ids), None)
            groups.setdefault(intent.intent_id if intent else objects.intent_ids[0], []).append(object_id)
        return groups

    def _mark(self, picture: Picture, states: Sequence[tuple[str, int]]) -> None:
        with picture.found.lock:
            for object_id, state in states:
                picture.canvas.set_state(object_id, state)
        picture.show_objects()
        self._desk.redraw(picture)
        self._desk.changed.emit()

    def undo(self) -> None:
        if not self._judged:
            return
        picture, intent_id, part = self._judged.pop()

        def undone(_: object) -> None:
            self._mark(picture, [(i, before) for i, before, _ in part])
            self._desk.refresh_intents()

        self._desk.short("Undo", lambda session: session.undo(intent_id), undone)

    def judged_count(self) -> tuple[int, int]:
        """Accepted and rejected in the current picture."""
        picture = self._desk.current_picture()
        states = [] if picture is None else [picture.canvas.state(i) for i in picture.canvas.ids]
        return states.count(ACCEPTED), states.count(REJECTED)

    def review_next(self) -> None:
        """Goes to the most uncertain object that is not judged."""
        if self.reviewing:
            self._jump(self.reviewing[0])
            return
        self.fetch_review(REVIEW_PAGE, lambda _: self._jump(self.reviewing[0]) if self.reviewing else self._all_judged())

    def _all_judged(self) -> None:
        self.end_review()
        self._desk.say("note", "All objects of this search are judged.")

    def fetch_review(self, count: int, then: Callable[[Any], None]) -> None:
        """The most uncertain objects, put into `reviewing`."""
        picture = self._desk.current_picture()
        objects = picture.found.latest() if picture is not None else None
        if picture is None or objects is None:
            self._desk.say("warning", "Find objects first: there is nothing to review yet.")
            return
        intent = self._desk.intent()
        chosen = intent.intent_id if intent is not None and intent.intent_id in objects.intent_ids else objects.intent_ids[0]

        def fetched(page: Any) -> None:
            # Some are below the threshold: they are drawn too, so that they can be judged.
            with picture.found.lock:
                missing = [feature for feature in page.features if feature["id"] not in picture.canvas]
                picture.canvas.put(missing)
                picture.found.adopt(objects.result_id, [feature["id"] for feature in missing])
            self.reviewing = list(page.ids)
            self._desk.redraw(picture)
            self._desk.changed.emit()
            then(page)

        self._desk.short("Review", lambda session: session.review(objects, count, intent=chosen), fetched)

    def end_review(self) -> None:
        self.reviewing = []
        picture = self._desk.current_picture()
        if picture is not None:
            picture.mark(None)
        self._desk.changed.emit()

    def _jump(self, object_id: str) -> None:
        """Moves the view to an object."""
        picture = self._desk.current_picture()
        if picture is None or object_id not in picture.canvas:
            return
        left, top, right, bottom = bounds([picture.canvas.feature(object_id)])[0]
        layer = picture.image_layer
        lead = self._desk.plane(picture)
        row, column = (top + bottom) / 2 - 0.5, (left + right) / 2 - 0.5
        world = layer.data_to_world((*lead, row, column))
        camera = camera_of(self._desk.viewer)
        camera.center = tuple(float(value) for value in world[-2:])
        size = max(right - left, bottom - top) * float(abs(layer.scale[-1]))
        camera.zoom = max(camera.zoom, REVIEW_SIZE / max(size, 1e-9))
        picture.mark((left, top, right, bottom))
        name = class_name(picture.canvas.feature(object_id))
        self._desk.say("note", f"Is this a {name}? K accepts, N rejects, U takes back. {len(self.reviewing)} to review.")
        self._desk.changed.emit()

    def prefer(self, prompt_id: str, chosen: int, feature: Any) -> None:
        """One outline of a click is better than the others: stored, and drawn in the place of the object that was clicked."""
        picture = self._desk.current_picture()
        objects = picture.found.latest() if picture is not None else None
        if picture is None or objects is None:
            self._desk.say("warning", SEARCH_AGAIN)
            return
        candidate = next((one for one in objects.candidates if one["promptId"] == prompt_id), None)
        if candidate is None:
            return
        click = candidate.get("click")
        under = picture.canvas.at(click["x"], click["y"]) if click else None

        def stored(intents: Any) -> None:
            if under is not None and under in picture.canvas:
                with picture.found.lock:
                    picture.canvas.put([{**picture.canvas.feature(under), "geometry": feature["geometry"]}])
                self._desk.redraw(picture)
            self._desk.set_intents(intents)
            self._desk.say("note", "Stored: this outline is better than the others. Refine learns from it.")

        self._desk.short(
            "Outlines", lambda session: (session.judge(objects, better={prompt_id: chosen}, intent=candidate["intentId"]), session.intents())[1], stored
        )
