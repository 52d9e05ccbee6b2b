"""A page of sections: what it is made of, and how it is written as HTML and Markdown."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import jinja2

from fmnist.atomic import write_atomically
from fmnist.benchmark.tables import NOT_MEASURED
from fmnist.cards import Facts
from fmnist.checks import made
from fmnist.figures import DPI


@dataclass(frozen=True)
class Table:
    """Text in cells; the first column is a name. Without titles it is a caption alone."""

    caption: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def spans(self) -> list[list[tuple[str, int]]]:
        """The rows as cells and how many columns each takes: equal words side by side are told
        once, so that what was not measured does not push aside what was.
        """
        return [[*_spans(row)] for row in self.rows]


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

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in its pixels: a hundred for an inch of the figure."""
        width, height = (int.from_bytes(self.png[at : at + 4], "big") for at in (16, 20))
        return width * 100 // DPI, height * 100 // DPI


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    title: str
    text: str
    parts: list[Table | Picture] = field(default_factory=list)


def write(
    headline: Sequence[tuple[str, str]], sections: Sequence[Section], facts: Facts, folder: Path
) -> list[Path]:
    """Leave report.html, which needs no other file, and report.md with its pictures beside it.

    Args:
        headline: numbers to begin with, and what each one is.
        facts: where the page comes from.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fmnist.report"),
        autoescape=lambda name: name is not None and "html" in name,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made(folder)
    written = []
    for name in ("report.html", "report.md"):
        text = environment.get_template(f"{name}.jinja").render(
            headline=headline,
            sections=sections,
            facts=facts,
            is_table=lambda part: isinstance(part, Table),
        )
        write_atomically(folder / name, text.encode(errors="replace"))
        written.append(folder / name)
    for section in sections:
        for part in section.parts:
            if isinstance(part, Picture):
                write_atomically(folder / f"{part.name}.png", part.png)
    return written


def _spans(row: Sequence[str]) -> Iterator[tuple[str, int]]:
    for text, same in groupby(row):
        count = len(list(same))
        yield from [(text, count)] if text == NOT_MEASURED else [(text, 1)] * count
