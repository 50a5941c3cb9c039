"""Judgements as a user gives them, to the form of the protocol."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional, Union

#: An object by its id, or a feature of the results.
ObjectRef = Union[str, Mapping[str, Any]]


def judgement_list(
    accept: Iterable[ObjectRef] = (),
    reject: Iterable[ObjectRef] = (),
    add: Iterable[Mapping[str, Any]] = (),
    edit: Optional[Mapping[str, Mapping[str, Any]]] = None,
    better: Optional[Mapping[str, int]] = None,
    candidates: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """accept, reject: objects. add: outlines that were missed. edit: object id to its right outline. better: id of a click's
    prompt to the index of its best candidate."""
    accepted, rejected = [_id(ref) for ref in _listed(accept)], [_id(ref) for ref in _listed(reject)]
    both = set(accepted) & set(rejected)
    if both:
        raise ValueError(f"accepted and rejected at once: {', '.join(sorted(both))}")
    judgements: list[dict[str, Any]] = [{"kind": "accept", "objectId": object_id} for object_id in accepted]
    judgements += [{"kind": "reject", "objectId": object_id} for object_id in rejected]
    judgements += [{"kind": "add", "geometry": _geometry(outline)} for outline in add]
    judgements += [{"kind": "edit", "objectId": object_id, "geometry": _geometry(outline)} for object_id, outline in (edit or {}).items()]
    counts = {candidate["promptId"]: len(candidate["masks"]) for candidate in candidates}
    for prompt_id, chosen in (better or {}).items():
        if prompt_id not in counts:
            raise ValueError(f"no click of this search has the prompt {prompt_id!r}")
        others = [index for index in range(counts[prompt_id]) if index != chosen]
        judgements.append({"kind": "better", "promptId": prompt_id, "chosen": int(chosen), "rejected": others})
    return judgements


def _listed(given: Any) -> list[Any]:
    return [given] if isinstance(given, (str, Mapping)) else list(given)


def _id(ref: ObjectRef) -> str:
    if isinstance(ref, str):
        return ref
    if isinstance(ref, Mapping) and isinstance(ref.get("id"), str):
        return ref["id"]
    raise ValueError(f"an object is its id or its feature, not {ref!r:.80}")


def _geometry(outline: Mapping[str, Any]) -> Mapping[str, Any]:
    """The geometry of a feature, or the geometry itself."""
    return outline["geometry"] if "geometry" in outline else outline
