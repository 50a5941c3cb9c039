import json

import numpy as np

from sampo_training.look_alike import choose_held_out, group_look_alikes
from sampo_training.splits import SPLITS, held_out


def test_the_rule_of_each_set():
    assert held_out("tnbc_20x/09_1") and held_out("tnbc_20x/11_3") and not held_out("tnbc_20x/08_5")
    assert held_out("dsb2018_brightfield/0000000600000000") and not held_out("dsb2018_brightfield/0000000700000000")
    assert held_out("nuinsseg_20x/256") and held_out("nuinsseg_20x/461") and not held_out("nuinsseg_20x/255")
    assert held_out("blood_txl_pbc/00000005-0d62-557e") and not held_out("blood_txl_pbc/00000006-0d62-557e")
    assert not held_out("brca_m2c/any")


def test_a_twelfth_to_a_quarter_of_the_fluorescence_set_is_held_out():
    split = json.loads((SPLITS / "dsb2018_fluorescence.json").read_text())
    assert split["images"] / 12 < len(split["held_out"]) < split["images"] / 4
    assert held_out(f"dsb2018_fluorescence/{split['held_out'][0]}")


def test_crops_of_one_field_fall_into_one_group():
    rng = np.random.default_rng(0)
    fields = np.array([[3.0, 6, 1, 7, 4], [5.0, 7, 2, 7.5, 4], [3.0, 6, 1, 7, 5.5]])
    features = np.concatenate([field + rng.normal(0, 0.02, (6, 5)) for field in fields])
    groups = group_look_alikes(features, ["256x256"] * 18)
    assert [len(set(groups[i : i + 6])) for i in (0, 6, 12)] == [1, 1, 1]
    assert len(set(groups)) == 3


def test_pictures_of_different_formats_are_never_joined():
    groups = group_look_alikes(np.ones((2, 5)), ["256x256", "360x360"])
    assert groups[0] != groups[1]


def test_whole_groups_are_held_out_and_giants_are_not():
    groups = np.array([0] * 90 + [1] * 50 + [2] * 40 + [3] * 20)
    names = [f"{g}-{i}" for i, g in enumerate(groups)]
    chosen = choose_held_out(names, groups)
    taken = {name.split("-")[0] for name in chosen}
    assert "0" not in taken and len(chosen) >= 80
    assert len(chosen) == sum((groups == int(g)).sum() for g in taken)
