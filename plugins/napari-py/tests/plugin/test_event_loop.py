"""The window never freezes: a watch on the event loop through find-all and Refine."""

from __future__ import annotations

import gc
import time
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from demo import CLICKS
from sampo_client.connection import Connection

#: The aim, s. Another process on this machine may hold the window up too, so a gap also has to exceed what stands below.
LONGEST_GAP = 0.1


class Watch:
    """A timer of 5 ms, and the longest time between two of its ticks."""

    def __init__(self) -> None:
        #: Wall time, time of the window's own thread, time of all threads of this process, s.
        self.gaps: list[tuple[float, float, float]] = []
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._tick)

    def __enter__(self) -> "Watch":
        self._last, self._cpu, self._all = time.perf_counter(), time.thread_time(), time.process_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now, cpu, every = time.perf_counter(), time.thread_time(), time.process_time()
        self.gaps.append((now - self._last, cpu - self._cpu, every - self._all))
        self._last, self._cpu, self._all = now, cpu, every

    @property
    def longest(self) -> float:
        return max(gap for gap, _, _ in self.gaps)

    def frozen(self) -> list[tuple[float, float, float]]:
        """Gaps in which this process was at work: its own thread, or others that kept the interpreter from it. In a gap
        without, the machine was busy with other processes."""
        return [(round(gap, 3), round(cpu, 3), round(every, 3)) for gap, cpu, every in self.gaps if gap > LONGEST_GAP and every > LONGEST_GAP]


def turn(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        QApplication.processEvents()


@pytest.mark.parametrize("tiles", [1, 4])
def test_no_freeze_in_find_all_and_refine(desk: Any, breast: np.ndarray, tiles: int, record_property: Any, monkeypatch: pytest.MonkeyPatch, unchecked: Any, request: Any) -> None:
    # The tests' own check of each message would hold the interpreter.
    take, send = unchecked
    monkeypatch.setattr(Connection, "_take", take)
    monkeypatch.setattr(Connection, "send", send)
    controller = desk.controller
    desk.viewer.add_image(np.tile(breast, (tiles, tiles, 1)), name="breast", rgb=True, scale=(0.5, 0.5))
    controller.choose_intent("Lymphocyte", (20, 60, 220))
    # The click tool makes our layers: napari takes 0.3 s for a new layer, once.
    desk.widget.intent.click.setChecked(True)
    desk.click(*CLICKS)
    desk.idle(0.5)
    # A full collection of napari's and the tests' own objects takes Python 0.15 s; ours are what is watched.
    gc.collect()
    gc.freeze()
    request.addfinalizer(gc.unfreeze)
    with Watch() as finding:
        controller.searching.find("layer")
        turn(lambda: controller.running is None and any("Found" in text for _, text in desk.said))
        end = time.monotonic() + 0.5
        turn(lambda: time.monotonic() > end)
    record_property("longest_gap_find_all", finding.longest)
    controller.judging.fetch_review(20, lambda _: None)
    desk.wait(lambda: len(controller.judging.reviewing) == 20)
    controller.judging.judge({i: 1 + number % 2 for number, i in enumerate(controller.judging.reviewing)})
    controller.judging.end_review()
    desk.wait(lambda: controller.intent().judgements == 20)
    desk.idle(0.5)
    controller.settings.refine_seconds = 3
    with Watch() as refining:
        controller.refining.refine()
        turn(lambda: controller.running is None)
        end = time.monotonic() + 0.5
        turn(lambda: time.monotonic() > end)
    record_property("longest_gap_refine", refining.longest)
    print(f"longest gap: find all {finding.longest:.3f} s, refine {refining.longest:.3f} s; frozen: {finding.frozen()} {refining.frozen()}")
    assert not finding.frozen() and not refining.frozen()


def test_the_watch_sees_a_freeze() -> None:
    """Without this the test above could not fail."""
    app = QApplication.instance() or QApplication([])
    with Watch() as watch:
        QTimer.singleShot(20, lambda: sum(i * i for i in range(4_000_000)))
        end = time.monotonic() + 20
        while time.monotonic() < end and not watch.frozen():
            app.processEvents()
    assert watch.frozen()
