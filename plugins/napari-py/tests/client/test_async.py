"""The asynchronous session: the same results, and a cancelled task cancels at the server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

import sampo_client
from demo import CLICKS, DEMO


def test_find_judge_refine_awaited(server_state: Path) -> None:
    async def main() -> None:
        async with sampo_client.connect_async(server_state, start=False) as session:
            objects: list = []
            found = await session.find_all(DEMO / "breast.png", CLICKS, intent="Awaited", on_objects=objects.extend)
            assert len(found) > 70
            # The answer corrects what streamed: it knows the whole image.
            assert len({value["id"] for value in objects} & set(found.ids)) > 0.8 * len(found)
            two = await asyncio.gather(session.threshold(found, 0.6), session.threshold(found, 0.8))
            assert len(two[0]) > len(two[1])
            doubtful = await session.review(found, 8)
            assert await session.judge(found, accept=doubtful.ids[:4], reject=doubtful.ids[4:]) == 8
            refined = await session.refine(found, steps=2, seconds=5)
            await session.revert(refined)
            with pytest.raises(sampo_client.ClickOutside):
                await session.find_all(DEMO / "breast.png", [(-5, 1)], intent="Awaited")
        with pytest.raises(sampo_client.ConnectionLost):
            await session.intents()

    asyncio.run(main())


def test_a_cancelled_task_cancels_at_the_server(server_state: Path, breast: np.ndarray) -> None:
    async def main() -> None:
        session = await sampo_client.connect_async(server_state, start=False)
        begun = asyncio.Event()
        large = np.tile(breast, (6, 6, 1))
        task = asyncio.create_task(session.find_all(large, CLICKS, intent="Cancelled", pixel_size=0.5, on_progress=lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await session.call("server/status"))["clients"] >= 1
        await session.close()

    asyncio.run(main())
