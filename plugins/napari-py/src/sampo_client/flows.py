"""What a session does, step by step, without waiting: each flow yields requests and work, and a driver carries them out.

So the blocking and the asynchronous session share one body.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Generator, Iterable, Mapping, Optional, Sequence, TypeVar, Union

from .array_image import ArrayImage, unreadable
from .errors import ImageProblem
from .errors_gen import ClientFailed, IntentNotFound, NotAvailable, PathNotAllowed, ResultNotFound
from .images import FileImage, Image, open_image
from .results import Objects

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A request to the server; the driver sends its result back in."""

    method: str
    params: Any
    on_progress: Optional[Callable[[Any], None]] = None


@dataclass(frozen=True)
class Work:
    """Something that reads pixels or computes; the asynchronous driver does it on another thread."""

    run: Callable[[], Any]


Flow = Generator[Union[Call, Work], Any, T]

#: A place in image px: (x, y), x from the left, y from the top, the corner of the first pixel is (0, 0).
Place = tuple[float, float]
#: x, y, width, height in image px; or a polygon of at least three places.
Region = Union[Sequence[float], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Examples:
    """What a user shows for one intent. boxes: (x, y, width, height) around nuclei; objects: GeoJSON features."""

    clicks: Sequence[Place] = ()
    not_these: Sequence[Place] = ()
    boxes: Sequence[Sequence[float]] = ()
    objects: Sequence[Mapping[str, Any]] = ()

    def params(self) -> dict[str, Any]:
        clicks = [_click(place, True) for place in self.clicks] + [_click(place, False) for place in self.not_these]
        params: dict[str, Any] = {}
        if clicks:
            params["clicks"] = clicks
        if len(self.boxes):
            params["boxes"] = [[float(value) for value in box] for box in self.boxes]
        if len(self.objects):
            params["exampleObjects"] = list(self.objects)
        return params


def _click(place: Place, positive: bool) -> dict[str, Any]:
    try:
        if isinstance(place, (str, bytes)):
            raise TypeError
        x, y = place
        return {"x": float(x), "y": float(y), "positive": positive}
    except (TypeError, ValueError) as error:
        raise ValueError(f"a click is (x, y) in image px, not {place!r}") from error


@dataclass(frozen=True)
class Intent:
    """What a user looks for, by name; kept by the server, also for the next image and the other viewer."""

    intent_id: str
    name: str
    color: tuple[int, int, int]
    examples: int
    positives: int
    judgements: int
    #: Active refinement, None for the model as shipped.
    checkpoint_id: Optional[str]

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Intent":
        red, green, blue = wire["color"]
        return cls(wire["intentId"], wire["name"], (red, green, blue), wire["exemplars"], wire["positives"], wire["judgements"], wire["checkpointId"])


@dataclass(frozen=True)
class Refinement:
    """How a refinement ended. `objects` are those given, as they are now; `previous` is what revert() goes back to."""

    intent_id: str
    checkpoint_id: Optional[str]
    previous: Optional[str]
    #: False: the hold-out says it got worse, and nothing has changed.
    activated: bool
    #: For a person.
    verdict: str
    metrics: Mapping[str, Any]
    seconds: float
    objects: Optional[Objects]
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass
class OpenedImage:
    """An image that is open at the server for this session."""

    image_id: str
    uri: str
    width: int
    height: int
    source: Image
    pixel_size: Optional[float]
    warnings: tuple[str, ...]


class SessionState:
    """What flows remember between calls: images that are open, and what the server publishes."""

    def __init__(self, methods: Iterable[str]) -> None:
        self.methods = frozenset(methods)
        self.opened: dict[tuple[Any, ...], OpenedImage] = {}
        #: By uri: what image/readRegion is answered from.
        self.sources: dict[str, ArrayImage] = {}
        #: Hears objects/publish while a flow waits for it.
        self.publish_listeners: list[Callable[[Any], None]] = []

    def needs(self, method: str) -> None:
        """Raises NotAvailable when the server does not list a method."""
        if method not in self.methods:
            raise NotAvailable(f"this server does not serve {method}", hint="update the server; sampo call rpc.discover lists what it has")


def open_on_server(state: SessionState, image: Any, options: Mapping[str, Any]) -> Flow[OpenedImage]:
    """Opens an image once; the same pixels given again are the same open image."""
    source = open_image(image, **options)
    if isinstance(source, FileImage):
        key: tuple[Any, ...] = ("file", source.path, source.pixel_size, _stamp(source.path))
        params: dict[str, Any] = {"uri": source.path, "source": "file"}
    else:
        yield Work(source.prepare)
        key = ("client", source.uri, source.pixel_size)
        # The object that is opened first goes on answering for its pixels.
        source = state.sources.setdefault(source.uri, source)
        params = {"uri": source.uri, "source": "client", "width": source.width, "height": source.height, "channels": 3}
    if key in state.opened:
        return state.opened[key]
    if source.pixel_size is not None:
        params["pixelSizeMicrons"] = float(source.pixel_size)
    try:
        answer = yield Call("image/open", params)
    except PathNotAllowed as error:
        raise PathNotAllowed(
            error.message,
            hint="give the folder in connect(roots=[...]) or sampo serve --root, or read the file yourself and pass the array with pixel_size",
            data=error.data,
        ) from error
    told = (*(warning["message"] for warning in answer["warnings"]), *source.notes)
    opened = OpenedImage(answer["imageId"], params["uri"], answer["width"], answer["height"], source, answer["pixelSizeMicrons"], told)
    state.opened[key] = opened
    return opened


def _stamp(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def close_image(state: SessionState, opened: OpenedImage) -> Flow[None]:
    for key in [key for key, value in state.opened.items() if value.image_id == opened.image_id]:
        del state.opened[key]
    if not any(other.uri == opened.uri for other in state.opened.values()):
        state.sources.pop(opened.uri, None)
    yield Call("image/close", {"imageId": opened.image_id})


def find_intent(given: Union[str, Intent], create: bool, color: Optional[Sequence[int]] = None) -> Flow[Intent]:
    """An intent by name or id. Raises IntentNotFound when there is none and `create` is false."""
    if isinstance(given, Intent):
        return given
    listed = yield Call("intent/list", {})
    intents = [Intent.of(wire) for wire in listed["intents"]]
    for intent in intents:
        if given == intent.intent_id:
            return intent
    named = [intent for intent in intents if intent.name == given]
    if len(named) > 1:
        raise IntentNotFound(f"{len(named)} intents are called “{given}”", hint="give the intent itself, or its intent_id: session.intents() lists them")
    if named:
        return named[0]
    if not create:
        known = ", ".join(f"“{intent.name}”" for intent in intents) or "none yet"
        raise IntentNotFound(f"no intent is called “{given}” (there are: {known})", hint="session.intents() lists them")
    params: dict[str, Any] = {"name": given}
    if color is not None:
        params["color"] = [int(value) for value in color]
    made = yield Call("intent/create", params)
    return Intent.of(made["intent"])


def unused_name(taken: Iterable[str]) -> str:
    """A name for an intent that was given none."""
    names, number = set(taken), 1
    while f"Unnamed {number}" in names:
        number += 1
    return f"Unnamed {number}"


def extent_params(region: Optional[Region]) -> dict[str, Any]:
    """The extent of a region: None is the whole image."""
    if region is None:
        return {"type": "image"}
    parts = list(region)
    if len(parts) == 4 and all(not hasattr(part, "__len__") for part in parts):
        x, y, width, height = (float(part) for part in parts)  # type: ignore[arg-type]
        return {"type": "rectangle", "x": x, "y": y, "width": width, "height": height}
    ring = [[float(x), float(y)] for x, y in parts]  # type: ignore[misc]
    if len(ring) < 3:
        raise ValueError("a region is (x, y, width, height) or a polygon of at least three (x, y)")
    if ring[0] != ring[-1]:
        ring.append(list(ring[0]))
    return {"type": "polygon", "coordinates": [ring]}


def find_all(
    state: SessionState,
    image: Any,
    intents: Mapping[Any, Union[Examples, Sequence[Place]]],
    *,
    region: Optional[Region],
    filters: Mapping[str, float],
    model: Optional[str],
    remember: bool,
    colors: Mapping[Any, Sequence[int]],
    on_objects: Optional[Callable[[list[Any]], None]],
    on_progress: Optional[Callable[[Any], None]],
    options: Mapping[str, Any],
) -> Flow[Objects]:
    """Opens the image, finds or makes the intents, searches."""
    opened = yield from open_on_server(state, image, options)
    asked, ids = [], []
    for given, shown in intents.items():
        examples = shown if isinstance(shown, Examples) else Examples(clicks=shown)
        intent = yield from find_intent(given, create=True, color=colors.get(given))
        ids.append(intent.intent_id)
        asked.append({"intentId": intent.intent_id, **examples.params()})
    params: dict[str, Any] = {"imageId": opened.image_id, "intents": asked, "extent": extent_params(region)}
    if filters:
        params["filters"] = dict(filters)
    if model is not None:
        params["modelId"] = model
    if not remember:
        params["remember"] = False

    def hear(value: Any) -> None:
        if on_objects is not None and value.get("objects"):
            on_objects(value["objects"])
        if on_progress is not None:
            on_progress(value)

    source = opened.source
    if isinstance(source, ArrayImage):
        source.read_error = None
    try:
        answer = yield Call("segment/prompt", params, hear)
    except ClientFailed as error:
        raised = source.read_error if isinstance(source, ArrayImage) else None
        if raised is None:
            raise
        raise unreadable(raised) from raised
    failed = [f"the tile at {tile['x']}, {tile['y']} failed: {tile['error']}" for tile in answer["tiles"]["failed"]]
    return Objects(
        features=tuple(answer["featureCollection"]["features"]),
        width=opened.width,
        height=opened.height,
        result_id=answer["resultId"],
        image_id=opened.image_id,
        intent_ids=tuple(ids),
        candidates=tuple(answer["candidates"]),
        pixel_size=answer["pixelSizeMicrons"],
        seconds=answer["seconds"],
        warnings=(*opened.warnings, *(warning["message"] for warning in answer["warnings"]), *failed),
        filters=dict(filters),
    )


def threshold(objects: Objects, filters: Mapping[str, float]) -> Flow[Objects]:
    """Other filters over what was found, without inference."""
    _held(objects)
    answer = yield Call("segment/threshold", {"resultId": objects.result_id, "filters": dict(filters)})
    return replace(objects, features=tuple(answer["featureCollection"]["features"]), filters=dict(filters))


def judge(objects: Objects, intent: Union[str, Intent, None], judgements: Sequence[Mapping[str, Any]]) -> Flow[Mapping[str, Any]]:
    """Stores judgements of objects of a search."""
    _held(objects)
    intent_id = yield from _intent_of(objects, intent)
    wire = [{**judgement, "resultId": objects.result_id} if judgement["kind"] not in ("add",) else dict(judgement) for judgement in judgements]
    if not wire:
        raise ValueError("nothing is judged: give ids to accept or reject, or outlines to add")
    return (yield Call("preference/submit", {"intentId": intent_id, "imageId": objects.image_id, "judgements": wire}))


def review(objects: Objects, intent: Union[str, Intent, None], count: int) -> Flow[Objects]:
    """The most uncertain objects that were not judged, most uncertain first."""
    _held(objects)
    intent_id = yield from _intent_of(objects, intent)
    answer = yield Call("review/next", {"resultId": objects.result_id, "intentId": intent_id, "count": int(count)})
    return replace(objects, features=tuple(answer["objects"]), warnings=(), candidates=())


def refine(
    state: SessionState,
    given: Union[str, Intent, Objects],
    intent: Union[str, Intent, None],
    settings: Mapping[str, Any],
    on_progress: Optional[Callable[[Any], None]],
) -> Flow[Refinement]:
    """Tunes an intent by its judgements; objects given are brought up to date."""
    objects = given if isinstance(given, Objects) else None
    intent_id = yield from (_intent_of(objects, intent) if objects else _id_of(given))  # type: ignore[arg-type]
    before = yield Call("intent/get", {"intentId": intent_id})
    heard: list[Mapping[str, Any]] = []
    state.publish_listeners.append(heard.append)
    try:
        params: dict[str, Any] = {"intentId": intent_id}
        if settings:
            params["settings"] = dict(settings)
        answer = yield Call("training/start", params, on_progress)
    finally:
        state.publish_listeners.remove(heard.append)
    now, change = _apply(objects, intent_id, heard)
    return Refinement(
        intent_id, answer["checkpointId"], before["intent"]["checkpointId"], answer["activated"], answer["verdict"], answer["metrics"], answer["seconds"], now, *change
    )


def activate(state: SessionState, intent: Union[str, Intent], checkpoint_id: Optional[str], objects: Optional[Objects]) -> Flow[Refinement]:
    """Goes to a version of an intent; None is the model as shipped."""
    intent_id = yield from _id_of(intent)
    before = yield Call("intent/get", {"intentId": intent_id})
    heard: list[Mapping[str, Any]] = []
    state.publish_listeners.append(heard.append)
    try:
        yield Call("checkpoint/activate", {"intentId": intent_id, "checkpointId": checkpoint_id})
    finally:
        state.publish_listeners.remove(heard.append)
    now, change = _apply(objects, intent_id, heard)
    return Refinement(intent_id, checkpoint_id, before["intent"]["checkpointId"], True, "activated", {}, 0.0, now, *change)


def _apply(objects: Optional[Objects], intent_id: str, heard: Sequence[Mapping[str, Any]]) -> tuple[Optional[Objects], tuple[tuple[str, ...], ...]]:
    added, changed, removed = [], [], []
    for event in heard:
        if objects is not None and event["imageId"] == objects.image_id and event["intentId"] == intent_id:
            objects = objects.changed(event["added"], event["changed"], event["removed"])
            added += [feature["id"] for feature in event["added"]]
            changed += [feature["id"] for feature in event["changed"]]
            removed += event["removed"]
    return objects, (tuple(added), tuple(changed), tuple(removed))


def start_batch(
    state: SessionState,
    images: Iterable[Any],
    intents: Sequence[Union[str, Intent]],
    out: "os.PathLike[str] | str",
    filters: Mapping[str, float],
    tissue: bool,
) -> Flow[Mapping[str, Any]]:
    """Starts a batch run on the server. Raises NotAvailable by name when the server serves none."""
    state.needs("batch/start")
    listed = []
    for image in images:
        if not isinstance(image, (str, os.PathLike, FileImage)):
            raise ImageProblem(f"a batch runs over files, not over a {type(image).__name__}", hint="save it first, or call find_all for each")
        source = image if isinstance(image, FileImage) else FileImage(str(Path(image).absolute()))
        listed.append({"path": source.path, **({} if source.pixel_size is None else {"pixelSizeMicrons": float(source.pixel_size)})})
    if not listed:
        raise ValueError("the batch holds no image")
    ids = []
    for given in intents:
        intent = yield from find_intent(given, create=False)
        ids.append(intent.intent_id)
    params: dict[str, Any] = {"intentIds": ids, "images": listed, "outputFolder": str(Path(out).absolute())}
    if filters:
        params["filters"] = dict(filters)
    if tissue:
        params["tissue"] = True
    answer = yield Call("batch/start", params)
    return answer["job"]


def _held(objects: Objects) -> None:
    if not objects.result_id:
        raise ResultNotFound("these objects come from a file, not from a search of this session", hint="search first: find_all")


def _intent_of(objects: Objects, intent: Union[str, Intent, None]) -> Flow[str]:
    if intent is None:
        if len(objects.intent_ids) == 1:
            return objects.intent_ids[0]
        raise ValueError(f"the objects belong to {len(objects.intent_ids)} intents: say which (intent=...)")
    return (yield from _id_of(intent))


def _id_of(intent: Union[str, Intent]) -> Flow[str]:
    return (yield from find_intent(intent, create=False)).intent_id


def filters_of(threshold: Optional[float], min_area: Optional[float], max_area: Optional[float], simplify: Optional[float]) -> dict[str, float]:
    """The filters of the protocol, without what is left out."""
    given = {"threshold": threshold, "minAreaMicrons2": min_area, "maxAreaMicrons2": max_area, "simplify": simplify}
    return {name: float(value) for name, value in given.items() if value is not None}
