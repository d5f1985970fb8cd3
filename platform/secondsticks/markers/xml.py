"""Small help for both XML formats: elements with text that XML can hold, and addresses of files."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from secondsticks.markers.clips import MarkedClip
from secondsticks.markers.words import one_line


def add(parent: Element, tag: str, text: object = None, /, **attributes: object) -> Element:
    """A new last child. Text and attributes are made fit for XML."""
    child = SubElement(parent, tag, {name: _fit(value) for name, value in attributes.items()})
    if text is not None:
        child.text = _fit(text)
    return child


def _fit(value: object) -> str:
    return one_line(str(value), longest=10_000)  # addresses are long and must stay whole


def document(root: Element) -> str:
    """The whole file, with the document type that editing programs look for."""
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root.tag}>\n{text}\n'


def address_of(clip: MarkedClip, *, host: str = "") -> str:
    """The `file:` address of a clip; of its name alone where its path says nothing to others."""
    path = str(Path.cwd() / clip.path) if clip.path else f"/{clip.name.replace('/', '_')}"
    return f"file://{host}{quote(os.fsencode(path))}"
