"""Where the repository is, and the bundled tile with three clicks on lymphocytes."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "models" / "demo"
CLICKS = [(289, 260), (397, 247), (141, 200)]
