"""Which picture of an archive is meant, and whether it has the size that its boxes were drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from training.exchange.archive import Archive
from training.exchange.foreign import ExchangeError, PictureProblem
from training.exchange.pictures import size_of


@dataclass(frozen=True)
class Found:
    """A file name, said in a part of the archive. `elsewhere`: with folders of another computer."""

    file_name: str
    part: str
    elsewhere: bool = False


def find_picture(archive: Archive, said: Found, size: tuple[int, int] | None) -> str:
    """The picture's name in the archive; empty when it is not there. Raises PictureProblem."""
    folder = str(PurePosixPath(said.part).parent)
    places = archive.find(said.file_name, "" if folder == "." else f"{folder}/", anywhere=said.elsewhere)
    if len(places) > 1:
        raise PictureProblem(f"{len(places)} pictures in the file have this name.")
    if places and size is not None:
        require_size(archive, places[0], size)
    return places[0] if places else ""


def require_size(archive: Archive, picture: str, size: tuple[int, int]) -> None:
    found = picture_size(archive, picture)
    if found != size:
        raise PictureProblem(
            f"It was labelled as {size[0]} × {size[1]} pixels, but its picture has {found[0]} × {found[1]}."
        )


def picture_size(archive: Archive, picture: str) -> tuple[int, int]:
    try:
        with archive.open(picture) as file:
            return size_of(file)
    except ExchangeError as error:
        raise PictureProblem(str(error)) from error
