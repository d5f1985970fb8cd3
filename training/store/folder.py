"""A store in a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from training.store.keys import check_folder, check_key
from training.store.store import StoreError, Trouble

#: Where objects grow until they are whole. Keys never start with a dot, so it is in nobody's way.
UNFINISHED = ".unfinished"
STALE = 24 * 3600  # seconds after which what grows there belongs to a process that was killed


class FolderStore:
    """Objects as files: written beside, synced to disk, and then named."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = root.as_uri()

    def get(self, key: str) -> bytes:
        with explained(key):
            return self._path(key).read_bytes()

    def read(self, key: str, first: int, length: int) -> bytes:
        with explained(key), self._path(key).open("rb") as file:
            file.seek(first)
            return file.read(length)

    def put(self, key: str, content: bytes | Path) -> None:
        with explained(key), self._staged(content) as staged:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(path)
            sync_folder(path.parent)

    def put_new(self, key: str, content: bytes | Path) -> bool:
        if self.exists(key):
            return False
        with explained(key), self._staged(content) as staged:
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(staged, path)
            except FileExistsError:
                return False
            sync_folder(path.parent)
            return True

    def exists(self, key: str) -> bool:
        with explained(key):
            return self._path(key).is_file()

    def size(self, key: str) -> int:
        with explained(key):
            if not self.exists(key):
                raise FileNotFoundError(errno.ENOENT, "no such object")
            return self._path(key).stat().st_size

    def download(self, key: str, path: Path) -> None:
        with explained(key):
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
            os.close(handle)
            try:
                shutil.copyfile(self._path(key), name)
                os.replace(name, path)  # noqa: PTH105 - a name, as mkstemp gave it
            finally:
                Path(name).unlink(missing_ok=True)

    def list(self, folder: str = "") -> Iterator[str]:
        below = self.root / check_folder(folder)
        with explained(folder or self.url):
            keys = []
            for parent, folders, names in os.walk(below):
                folders[:] = [name for name in folders if not name.startswith(".")]
                keys += [
                    (Path(parent) / name).relative_to(self.root).as_posix()
                    for name in names
                    if not name.startswith(".")
                ]
        yield from sorted(keys)

    def delete(self, key: str) -> None:
        with explained(key):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextlib.contextmanager
    def _staged(self, content: bytes | Path) -> Iterator[Path]:
        """`content` whole and on disk, under a name nobody looks at; gone afterwards."""
        folder = self.root / UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        drop_stale(folder)
        handle, name = tempfile.mkstemp(dir=folder)
        staged = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file, 1 << 20)
                else:
                    file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)  # mkstemp's 0600 would hide it from the other machines' users
                os.fsync(file.fileno())
            yield staged
        finally:
            staged.unlink(missing_ok=True)


def drop_stale(folder: Path) -> None:
    """Removes what processes that were killed left behind."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()


def sync_folder(folder: Path) -> None:
    """Makes a new name last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def explained(key: str) -> Iterator[None]:
    """Turns what the system says into a StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(*meaning(error, key)) from error


def meaning(error: OSError, key: str) -> tuple[str, Trouble]:
    """The sentence for an error of the file system, and its kind."""
    match error.errno:
        case errno.ENOENT | errno.EISDIR | errno.ENOTDIR:
            return f"There is no {key} in the store.", Trouble.MISSING
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"The store does not let us at {key}: {error.strerror}.", Trouble.DENIED
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return f"There is no space for {key}: {error.strerror}.", Trouble.FULL
        case errno.EEXIST | errno.ENOTEMPTY | errno.ENAMETOOLONG:
            return f"{key} cannot be stored: {error.strerror}.", Trouble.NAME
    return f"The store cannot be reached for {key}: {error.strerror or error}.", Trouble.UNREACHABLE
