import numpy as np

from sampo_training.synthetic import IHC_NAMES, SIZE, as_instances, draw


def test_a_seed_draws_the_same_tissue_every_time():
    first, again, other = draw(1), draw(1), draw(2)
    assert (first.rgb == again.rgb).all() and (first.objects == again.objects).all()
    assert (first.rgb != other.rgb).any()


def test_every_object_has_a_class_and_is_darker_than_the_ground():
    record = draw(1)
    assert record.rgb.shape == (SIZE, SIZE, 3) and record.objects.max() == len(record.classes) > 50
    assert record.classes.max() < len(record.names)
    assert record.rgb[record.objects > 0].mean() < record.rgb[record.objects == 0].mean() - 20


def test_brown_nuclei_of_an_immunostain_are_brown():
    record = next(r for r in map(draw, range(20)) if r.names == IHC_NAMES)
    brown = np.concatenate([[False], record.classes == 0])[record.objects]
    blue = np.concatenate([[False], record.classes == 1])[record.objects]
    warmth = record.rgb[..., 0].astype(int) - record.rgb[..., 2]
    assert warmth[brown].mean() > warmth[blue].mean() + 30


def test_the_class_agnostic_head_sees_the_same_outlines():
    record = draw(3)
    instances = as_instances(record)
    assert (instances.labels == record.objects).all()
    assert instances.distance.max() == 1 and (instances.distance[record.objects == 0] == 0).all()
