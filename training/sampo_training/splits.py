"""Which images are never trained on. One rule for each set, so that training, `evaluate` and the card mean the same thing."""

import json
from functools import cache
from pathlib import Path

SPLITS = Path(__file__).parent.parent / "splits"

TNBC_PATIENTS = ("09", "10", "11")

# Whole organs (the set is ordered by organ, its organ names are lost): a gland, pale large nuclei, a dense lymphoid organ.
NUINSSEG_ORGANS = (range(256, 296), range(398, 410), range(450, 462))


@cache
def look_alike_fields() -> frozenset[str]:
    """Names of the dsb2018_fluorescence images held out, whole fields at a time (made by `look_alike`)."""
    return frozenset(json.loads((SPLITS / "dsb2018_fluorescence.json").read_text())["held_out"])


@cache
def kromp_test(index: Path) -> frozenset[str]:
    """Names in the authors' test split."""
    return frozenset(name for name, row in json.loads(index.read_text()).items() if row["split"] == "test")


def held_out(name: str) -> bool:
    """`name` is "folder/stem" as in `Instances.name`. `kromp_fluorescence` is split by its index file instead."""
    folder, stem = name.split("/")
    if folder == "tnbc_20x":
        return stem[:2] in TNBC_PATIENTS
    if folder == "dsb2018_brightfield":
        return int(stem[:8], 16) % 6 == 0
    if folder == "dsb2018_fluorescence":
        return stem in look_alike_fields()
    if folder == "nuinsseg_20x":
        return any(int(stem) in organ for organ in NUINSSEG_ORGANS)
    if folder == "blood_txl_pbc":
        return int(stem[:8], 16) % 5 == 0
    return False
