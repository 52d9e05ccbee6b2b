"""A page of sections: what it is made of, and how it is written as HTML and Markdown."""

import base64
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from fmnist.atomic import write_atomically
from fmnist.checkpoint import Facts


@dataclass(frozen=True)
class Table:
    """Text in cells; the first column is a name."""

    caption: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A PNG with the sentence beneath it."""

    name: str
    caption: str
    png: bytes

    @property
    def uri(self) -> str:
        """The picture inside a page."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    text: str
    parts: list[Table | Picture] = field(default_factory=list)


def write(sections: Sequence[Section], facts: Facts, folder: Path) -> list[Path]:
    """Leave report.html, which needs no other file, and report.md with its pictures beside it."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fmnist.report"),
        autoescape=lambda name: name is not None and "html" in name,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in ("report.html", "report.md"):
        text = environment.get_template(f"{name}.jinja").render(
            sections=sections, facts=facts, is_table=lambda part: isinstance(part, Table)
        )
        write_atomically(folder / name, text.encode())
        written.append(folder / name)
    for section in sections:
        for part in section.parts:
            if isinstance(part, Picture):
                write_atomically(folder / f"{part.name}.png", part.png)
    return written


def picture(name: str, caption: str, draw: Callable[[Path], None]) -> Picture:
    """A figure that `draw` writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.png"
        draw(path)
        return Picture(name, caption, path.read_bytes())
