"""A project's annotations as a zip file, with or without their pictures."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from secondsticks.footage.models import Project
from secondsticks.labeling.exchange.labelled import labelled_in
from secondsticks.labeling.models import picture_key
from secondsticks.store import store
from training.exchange.writing import IMAGES, WRITERS
from training.store import StoreError, Trouble

FORMATS = tuple(WRITERS)
MISSING = "missing-pictures.txt"


def write_zip(project: Project, file: Path | IO[bytes], *, form: str, pictures: bool) -> int:
    """Write the zip; returns how many frames are in it. Raises StoreError.

    Pictures that the store has lost are listed in the zip, and the rest is there.
    """
    frames = list(labelled_in(project))
    missing = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as into:
        for name, content in WRITERS[form](frames):
            into.writestr(name, content)
        for one in frames if pictures else ():
            try:
                picture = store().get(picture_key(one.frame_key))
            except StoreError as error:
                if error.trouble != Trouble.MISSING:
                    raise
                missing.append(one.frame_key)
            else:
                into.writestr(f"{IMAGES}/{one.file_name}", picture, zipfile.ZIP_STORED)
        if missing:
            into.writestr(MISSING, "\n".join(missing) + "\n")
    return len(frames)
