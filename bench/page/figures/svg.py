"""A matplotlib figure as a piece of a page: the same table gives the same bytes, and no name is more than text."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
STYLE: Any = {  # which matplotlib types by its 300 names
    "svg.hashsalt": "deltacheck",
    "svg.fonttype": "none",  # text stays text: found, read aloud, and small
    "text.parse_math": False,  # a name may hold dollar signs
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": "0.5",
    "axes.titlesize": 10,
    "hatch.color": "0.6",
    "hatch.linewidth": 0.8,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Inside it figures are made and turned into text; matplotlib is left as it was."""
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # the reader's browser has others
        yield


def svg(figure: Figure, name: str, text: str) -> Markup:
    """The figure as an ``<svg>`` element. ``name`` sets its ids apart from those of others on the page, ``text`` is what it shows."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    root = ElementTree.fromstring(file.getvalue())
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, f"{name}-{value}")
            else:
                element.set(key, value.replace("url(#", f"url(#{name}-"))
        if f"{{{XLINK}}}href" in element.attrib:
            element.set("href", f"#{name}-" + element.attrib.pop(f"{{{XLINK}}}href").removeprefix("#"))
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    root.attrib.pop("version", None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title")
    title = ElementTree.Element(f"{{{SVG}}}title", {"id": f"{name}-title"})
    title.text = text
    root.insert(0, title)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")  # inside HTML the namespace goes without saying
    return Markup(ElementTree.tostring(root, encoding="unicode"))
