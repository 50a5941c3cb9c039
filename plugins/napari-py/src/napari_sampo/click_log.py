"""Clicks on one picture, with undo: what is clicked, for which intent, and whether it is one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from sampo_client import Examples

CLICK, NOT_THIS = "click", "not this"


@dataclass(frozen=True)
class PlacedClick:
    """A click in image px."""

    x: float
    y: float
    intent: str
    kind: str = CLICK


class ClickLog:
    """The clicks, and what they were before each change."""

    def __init__(self) -> None:
        self.clicks: tuple[PlacedClick, ...] = ()
        self._before: list[tuple[PlacedClick, ...]] = []
        self._after: list[tuple[PlacedClick, ...]] = []

    def set(self, clicks: Sequence[PlacedClick]) -> None:
        """Takes what the user did as the new state; nothing when it is the same."""
        if tuple(clicks) == self.clicks:
            return
        self._before.append(self.clicks)
        self._after.clear()
        self.clicks = tuple(clicks)

    def add(self, click: PlacedClick) -> None:
        self.set((*self.clicks, click))

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        return bool(self._after)

    def undo(self) -> None:
        if self._before:
            self._after.append(self.clicks)
            self.clicks = self._before.pop()

    def redo(self) -> None:
        if self._after:
            self._before.append(self.clicks)
            self.clicks = self._after.pop()

    def intents(self) -> list[str]:
        """Intents that have a positive click, in the order in which they were first clicked."""
        return list(dict.fromkeys(click.intent for click in self.clicks if click.kind == CLICK))

    def examples(self, intent: str) -> Examples:
        """What was shown for an intent: its clicks, and what was clicked as not of it."""
        mine = [click for click in self.clicks if click.intent == intent]
        return Examples(
            clicks=[(click.x, click.y) for click in mine if click.kind == CLICK],
            not_these=[(click.x, click.y) for click in mine if click.kind == NOT_THIS],
        )

    def rename(self, before: str, after: str) -> None:
        """An intent has another name; undo goes on across it."""

        def renamed(clicks: Sequence[PlacedClick]) -> tuple[PlacedClick, ...]:
            return tuple(PlacedClick(c.x, c.y, after if c.intent == before else c.intent, c.kind) for c in clicks)

        self.clicks = renamed(self.clicks)
        self._before = [renamed(clicks) for clicks in self._before]
        self._after = [renamed(clicks) for clicks in self._after]
