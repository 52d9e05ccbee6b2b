"""The source of the server that is running, for whoever uses it (AGPL-3.0, section 13)."""

import zipfile
from functools import cache
from importlib import metadata
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("cli.py", "commands", "detector", "fmnist", "weights")
# In a checkout; what is called so beside installed packages is not ours.
BESIDE = ("scripts", "tests", "docs", "results", "demo/garments.mp4")
TOP = ("LICENSE", "README.md", "LOG.md", "Makefile", "pyproject.toml")


@cache
def archive() -> bytes:
    """A ZIP of the files that run here, with the weights and the licence; made once."""
    file = BytesIO()
    # Not strict: some installations date their files to 1970, a ZIP begins in 1980.
    with zipfile.ZipFile(
        file, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
    ) as out:
        for path in _files():
            out.write(path, f"fmnist/{path.relative_to(ROOT)}")
        if not (ROOT / "LICENSE").exists():
            out.writestr("fmnist/LICENSE", _installed_licence())
    return file.getvalue()


def _files() -> list[Path]:
    is_checkout = (ROOT / "pyproject.toml").exists()
    tops = [ROOT / name for name in (*OURS, *((*BESIDE, *TOP) if is_checkout else ()))]
    paths = [path for top in tops for path in (sorted(top.rglob("*")) if top.is_dir() else [top])]
    return [path for path in paths if path.is_file() and not _is_private(path.relative_to(ROOT))]


def _is_private(path: Path) -> bool:
    """Caches, and what somebody hid beside the code."""
    return "__pycache__" in path.parts or any(part.startswith(".") for part in path.parts)


def _installed_licence() -> str:
    files = metadata.files("fmnist") or []
    return next((file.read_text() for file in files if file.name == "LICENSE"), "AGPL-3.0-or-later")
