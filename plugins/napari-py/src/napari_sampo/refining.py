"""Refine: progress, what it changed, keep or revert; and changes that another viewer made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from sampo_client import Refinement

from .found import Change, Snapshot
from .jobs import Job
from .picture import Picture
from .words import sentence

if TYPE_CHECKING:
    from .controller import Controller


class Refining:
    """Refinements of a viewer's intents."""

    def __init__(self, desk: "Controller") -> None:
        self._desk = desk
        #: The refinement that waits for keep or revert, and what it did.
        self.refinement: Optional[Refinement] = None
        self.change: Optional[Change] = None
        self._before: Optional[Snapshot] = None
        self._after: Optional[Snapshot] = None
        #: What the server has published and nobody has taken yet.
        self.published_events: list[Any] = []

    def refine(self) -> None:
        """Makes the intent better by what was accepted and rejected."""
        picture, intent = self._desk.current_picture(), self._desk.intent()
        if self._desk.running is not None:
            self._desk.say("warning", f"“{self._desk.running.title}” is under way: wait for it, or stop it.")
            return
        if picture is None or intent is None:
            self._desk.say("warning", "Find and judge objects first: Refine learns from what you accept and reject.")
            return
        if self.refinement is not None:
            self.keep()
        canvas, seconds = picture.canvas, self._desk.settings.refine_seconds

        def work(job: Job) -> dict[str, Any]:
            session = self._desk.bridge.session()
            before = picture.found.snapshot(canvas)
            self.published_events.clear()
            refinement = session.refine(
                intent, seconds=seconds, cancel=job.token,
                on_progress=lambda value: job.report(value) if value["kind"] == "report" else None,
            )
            change = picture.found.publish(canvas, list(self.published_events), mark=True)
            self.published_events.clear()
            with picture.found.lock:
                shown = {"table": canvas.table(), "listed": canvas.listed()}
            return {"refinement": refinement, "before": before, "after": picture.found.snapshot(canvas), "change": change, "intents": session.intents(), **shown}

        self._desk.start("Refine", work, lambda value: self._refined(picture, value), "Refining", report=self._refine_progress)

    def _refine_progress(self, value: Any) -> None:
        metrics = value.get("metrics") or {}
        told = " · ".join(f"{name} {metrics[key]:.2f}" for key, name in (("loss", "loss"), ("rewardAccuracy", "pairs right")) if isinstance(metrics.get(key), (int, float)))
        left = value.get("etaSeconds")
        self._desk.progressed.emit(value.get("percentage", -1), " · ".join(part for part in (value.get("message", ""), told, f"{left:.0f} s left" if left else "") if part))

    def _refined(self, picture: Picture, value: dict[str, Any]) -> None:
        refinement = value["refinement"]
        self._desk.show(picture, value)
        self._desk.set_intents(value["intents"])
        if refinement.activated:
            self.refinement, self.change, self._before, self._after = refinement, value["change"], value["before"], value["after"]
            self._desk.say("note", f"Refined: {value['change']}. {sentence(refinement.verdict)} Keep it or revert.")
        else:
            self._desk.say("warning", f"Nothing has changed: {sentence(refinement.verdict)}")
        self._desk.changed.emit()

    def keep(self) -> None:
        """The refinement stays: marks of its changes go."""
        picture = self._desk.current_picture()
        if self.refinement is None or picture is None:
            return
        self._compare(picture, self._after)
        picture.found.settle(picture.canvas)
        self.refinement = self.change = self._before = self._after = None
        self._desk.redraw(picture)
        self._desk.say("note", "Kept.")

    def revert(self) -> None:
        """Goes back to what was before the refinement."""
        picture, refinement, before = self._desk.current_picture(), self.refinement, self._before
        if refinement is None or picture is None or before is None:
            return
        canvas = picture.canvas

        def work(session: Any) -> dict[str, Any]:
            session.revert(refinement)
            picture.found.publish(canvas, list(self.published_events), mark=False)
            self.published_events.clear()
            picture.found.restore(canvas, before)
            with picture.found.lock:
                return {"table": canvas.table(), "listed": canvas.listed(), "intents": session.intents()}

        def reverted(value: dict[str, Any]) -> None:
            self.refinement = self.change = self._before = self._after = None
            self._desk.show(picture, value)
            self._desk.set_intents(value["intents"])
            self._desk.say("note", "Reverted: the objects are as before the refinement.")

        self._desk.start("Revert", lambda _: work(self._desk.bridge.session()), reverted, "Reverting")

    def compare(self, before: bool) -> None:
        """Shows the objects before or after the refinement."""
        picture = self._desk.current_picture()
        if picture is not None and self.refinement is not None:
            self._compare(picture, self._before if before else self._after)
            self._desk.redraw(picture)

    def _compare(self, picture: Picture, snapshot: Optional[Snapshot]) -> None:
        if snapshot is not None:
            picture.found.restore(picture.canvas, snapshot)

    def published(self, params: Any) -> None:
        """objects/publish, on the connection's thread."""
        self.published_events.append(params)
        self._desk.jobs.deliver(self._take_published, None)

    def _take_published(self, _: object) -> None:
        """Changes that another viewer caused; those of a refinement here are taken by it."""
        if self._desk.running is not None or not self.published_events:
            return
        events, self.published_events[:] = list(self.published_events), []
        for picture in self._desk.pictures:
            if any(event["imageId"] in picture.found.image_ids() for event in events):
                picture.found.publish(picture.canvas, events, mark=False)
                self._desk.redraw(picture)
