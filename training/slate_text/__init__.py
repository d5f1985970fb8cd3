"""Scene, take, roll and camera, read off a picture of a slate. Reading needs the extra `ocr`."""

from importlib.util import find_spec

HOW_TO_INSTALL = "pip install 'secondsticks[ocr]'"


def is_installed() -> bool:
    """Whether the extra `ocr` is here. Asked anew each time, and without loading it."""
    return all(find_spec(name) for name in ("onnxruntime", "rapidocr"))
