"""Questions without type labels, second kind: a marker painted on some of the nuclei, as an immunostain would be."""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

DAB, HAEMATOXYLIN = (0.27, 0.57, 0.78), (0.65, 0.70, 0.29)  # optical density of R, G, B (Ruifrok & Johnston 2001)
PLACES = ("nucleus", "nucleus", "nucleus", "membrane", "cytoplasm", "cell")  # nuclear markers half of the time


@dataclass(frozen=True)
class Marker:
    """stain: unit vector of optical density; strength: density inside a marked nucleus; spread: standard deviation of its
    logarithm among nuclei; place: where it lies; softness: blur in px (sigma); veil: share of the nucleus's own colour that it
    hides; ground: density everywhere else; weak: density in unmarked nuclei as a share of that in marked ones."""

    stain: tuple[float, float, float]
    strength: float
    spread: float
    place: str
    softness: float
    veil: float
    ground: float
    weak: float


def unit(vector) -> tuple[float, float, float]:
    array = np.asarray(vector, float)
    return tuple((array / np.linalg.norm(array)).tolist())


def draw_stain(rng: random.Random, kind: str) -> tuple[float, float, float]:
    """A stain near DAB ("brown") or haematoxylin ("blue"), or of any hue ("other")."""
    if kind == "other":
        return unit([rng.uniform(0.02, 1) for _ in range(3)])
    usual, spread = (DAB, 0.06) if kind == "brown" else (HAEMATOXYLIN, 0.04)
    return unit([max(0.05, value + rng.gauss(0, spread)) for value in usual])


def draw_marker(rng: random.Random, brown: bool | None = None) -> Marker:
    """DAB half of the time (`brown` decides it), haematoxylin a sixth, else any hue; weak to strong."""
    number = rng.random()
    if brown is None:
        brown = number < 0.5
    kind = "brown" if brown else "blue" if number < 1 / 3 or 0.5 <= number < 2 / 3 else "other"
    # More haematoxylin is seen only in the nucleus, and only where it is plenty: all nuclei have some.
    place = "nucleus" if kind == "blue" else rng.choice(PLACES)
    return Marker(
        stain=draw_stain(rng, kind),
        strength=rng.uniform(0.6 if kind == "blue" else 0.3, 1.6),
        spread=rng.choice((0.0, 0.15, 0.3)),
        place=place,
        softness=rng.uniform(0.5, 1.5),
        veil=rng.uniform(0, 0.7) if place == "nucleus" else 0.0,
        ground=rng.choice((0.0, 0.0, 0.02, 0.06)),
        weak=rng.choice((0.0, 0.0, 0.0, 0.1, 0.2)),
    )


def choose_marked(rng: random.Random, centres: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Which nuclei carry the marker: scattered, in one region, or those of a certain look, a few of them by chance.
    centres [N, 2], table [N, A] standardised measurements -> [N] bool, some True and some False when N >= 2."""
    count = len(centres)
    share = rng.choice((0.1, 0.2, 0.35, 0.5, 0.7))
    way = rng.random()
    noise = np.array([rng.random() for _ in range(count)])
    if way < 0.5:
        rank = noise
    elif way < 0.75:
        away = np.hypot(*(centres - centres[rng.randrange(count)]).T)
        rank = away / (away.max() + 1e-6) + 0.15 * noise
    else:
        look = table[:, rng.randrange(table.shape[1])] * rng.choice((-1, 1))
        rank = look / 3 + 0.5 * noise
    marked = np.zeros(count, bool)
    marked[np.argsort(rank)[: min(count - 1, max(1, round(share * count)))]] = True
    return marked


def spread_out(mask: torch.Tensor, radius: int) -> torch.Tensor:
    """[H, W] -> the largest value within a square of `radius` px."""
    side = 2 * radius + 1
    return F.max_pool2d(F.max_pool2d(mask[None, None], (side, 1), 1, (radius, 0)), (1, side), 1, (0, radius))[0, 0]


def blurred(mask: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of [H, W]."""
    reach = max(1, int(np.ceil(2.5 * sigma)))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    taps = taps / taps.sum()
    rows = F.conv2d(F.pad(mask[None, None], (reach,) * 4, mode="replicate"), taps.reshape(1, 1, -1, 1))
    return F.conv2d(rows, taps.reshape(1, 1, 1, -1))[0, 0]


def marker_density(marker: Marker, objects: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
    """objects [H, W] int (0 none), amount [N]: density in each object -> density map [H, W] at the marker's place."""
    body = torch.cat([torch.zeros(1), amount])[objects.long()]
    outside = (objects == 0).float()
    if marker.place == "membrane":
        body = torch.maximum(spread_out(body, 3) * outside, body * spread_out(outside, 1))
    elif marker.place == "cytoplasm":
        body = spread_out(body, 5) * outside
    elif marker.place == "cell":
        body = torch.maximum(body, 0.8 * spread_out(body, 5) * outside)
    return blurred(body, marker.softness)


def paint(rng: random.Random, image: torch.Tensor, objects: torch.Tensor, marked: np.ndarray, marker: Marker) -> torch.Tensor:
    """image [3, H, W] in 0..1, objects [H, W] int (i + 1 = nucleus i), marked [N] bool -> the image with the marker on it."""
    amount = [marker.strength * float(np.exp(rng.gauss(0, marker.spread))) for _ in marked]
    amount = torch.tensor([value if on else value * marker.weak for value, on in zip(amount, marked)])
    density = -torch.log(image.clamp(1 / 255, 1))
    if marker.veil:
        hidden = blurred(torch.cat([torch.zeros(1), torch.from_numpy(marked).float()])[objects.long()], marker.softness)
        density = density * (1 - marker.veil * hidden)
    added = marker_density(marker, objects, amount) + marker.ground
    return torch.exp(-(density + added * torch.tensor(marker.stain)[:, None, None]))
