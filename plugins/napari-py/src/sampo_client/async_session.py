"""The asynchronous session: the same calls, awaited. Cancelling the task cancels the request at the server."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence, TypeVar, Union

from . import flows
from .calls_gen import AsyncCalls
from .flows import Examples, Flow, Intent, Place, Refinement, Region
from .judgements import ObjectRef, judgement_list
from .results import Objects
from .session import Session, connect

T = TypeVar("T")


class AsyncSession(AsyncCalls):
    """`async with connect_async() as session:`. Arguments and errors of each method are those of Session."""

    def __init__(self, session: Session) -> None:
        self.blocking = session
        self.state = session.state
        self.hello = session.hello

    async def __aenter__(self) -> "AsyncSession":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def closed(self) -> bool:
        return self.blocking.closed

    async def close(self) -> None:
        await asyncio.to_thread(self.blocking.close)

    async def call(self, method: str, params: Any = None, on_progress: Optional[Callable[[Any], None]] = None) -> Any:  # type: ignore[override]
        """Sends any request of the protocol and returns its result. `on_progress` runs on the event loop's thread."""
        loop = asyncio.get_running_loop()
        hear = None if on_progress is None else lambda value: loop.call_soon_threadsafe(on_progress, value) and None
        pending = self.blocking.connection.request(method, {} if params is None else params, hear)
        try:
            return await asyncio.shield(asyncio.wrap_future(pending.future))
        except asyncio.CancelledError:
            pending.cancel()
            raise

    async def intents(self) -> list[Intent]:
        return [Intent.of(wire) for wire in (await self.call("intent/list"))["intents"]]

    async def intent(self, name: Union[str, Intent], *, create: bool = False, color: Optional[Sequence[int]] = None) -> Intent:
        return await self._run(flows.find_intent(name, create, color))

    async def find_all(
        self,
        image: Any,
        clicks: Sequence[Place] = (),
        *,
        intent: Union[str, Intent, None] = None,
        not_these: Sequence[Place] = (),
        boxes: Sequence[Sequence[float]] = (),
        objects: Iterable[Mapping[str, Any]] = (),
        intents: Optional[Mapping[Any, Union[Examples, Sequence[Place]]]] = None,
        region: Optional[Region] = None,
        threshold: Optional[float] = None,
        min_area: Optional[float] = None,
        max_area: Optional[float] = None,
        simplify: Optional[float] = None,
        color: Optional[Sequence[int]] = None,
        model: Optional[str] = None,
        remember: bool = True,
        on_objects: Optional[Callable[[list[Any]], None]] = None,
        on_progress: Optional[Callable[[Any], None]] = None,
        **options: Any,
    ) -> Objects:
        if intents is None:
            name = intent if intent is not None else flows.unused_name(known.name for known in await self.intents())
            intents = {name: Examples(clicks, not_these, boxes, tuple(objects))}
        elif intent is not None or len(clicks) or len(not_these) or len(boxes):
            raise ValueError("give either intents={name: clicks}, or clicks and intent")
        return await self._run(
            flows.find_all(
                self.state, image, intents, region=region, filters=flows.filters_of(threshold, min_area, max_area, simplify), model=model, remember=remember,
                colors={key: color for key in intents} if color is not None else {}, on_objects=on_objects, on_progress=on_progress, options=options,
            )
        )

    async def threshold(
        self, objects: Objects, threshold: Optional[float] = None, *, min_area: Optional[float] = None, max_area: Optional[float] = None, simplify: Optional[float] = None
    ) -> Objects:
        return await self._run(flows.threshold(objects, flows.filters_of(threshold, min_area, max_area, simplify)))

    async def judge(
        self,
        objects: Objects,
        *,
        accept: Iterable[ObjectRef] = (),
        reject: Iterable[ObjectRef] = (),
        add: Iterable[Mapping[str, Any]] = (),
        edit: Optional[Mapping[str, Mapping[str, Any]]] = None,
        better: Optional[Mapping[str, int]] = None,
        intent: Union[str, Intent, None] = None,
    ) -> int:
        answer = await self._run(flows.judge(objects, intent, judgement_list(accept, reject, add, edit, better, objects.candidates)))
        return answer["total"]

    async def review(self, objects: Objects, count: int = 10, *, intent: Union[str, Intent, None] = None) -> Objects:
        return await self._run(flows.review(objects, intent, count))

    async def refine(
        self,
        what: Union[str, Intent, Objects],
        *,
        intent: Union[str, Intent, None] = None,
        seconds: Optional[float] = None,
        on_progress: Optional[Callable[[Any], None]] = None,
        **settings: Any,
    ) -> Refinement:
        if seconds is not None:
            settings["seconds"] = float(seconds)
        return await self._run(flows.refine(self.state, what, intent, settings, on_progress))

    async def revert(self, refinement: Refinement) -> Refinement:
        return await self._run(flows.activate(self.state, refinement.intent_id, refinement.previous, refinement.objects))

    async def _run(self, flow: Flow[T]) -> T:
        value: Any = None
        error: Optional[BaseException] = None
        while True:
            try:
                step = flow.throw(error) if error is not None else flow.send(value)
            except StopIteration as end:
                return end.value
            value, error = None, None
            try:
                if isinstance(step, flows.Call):
                    value = await self.call(step.method, step.params, step.on_progress)
                else:
                    value = await asyncio.to_thread(step.run)
            except BaseException as raised:  # the flow decides what to do with it
                error = raised


class connect_async:
    """`connect()` for asynchronous programs: `async with connect_async() as session:`, or `session = await connect_async()`.

    Arguments and errors are those of `connect`.
    """

    def __init__(self, state: "Optional[os.PathLike[str] | str]" = None, **options: Any) -> None:
        self._state, self._options = state, options
        self._session: Optional[AsyncSession] = None

    async def _connect(self) -> AsyncSession:
        self._session = AsyncSession(await asyncio.to_thread(lambda: connect(self._state, **self._options)))
        return self._session

    def __await__(self) -> Any:
        return self._connect().__await__()

    async def __aenter__(self) -> AsyncSession:
        return await self._connect()

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
