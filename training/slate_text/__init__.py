"""Scene, take, roll and camera, read off a picture of a slate. Reading needs the extra `ocr`."""

from importlib.util import find_spec

HOW_TO_INSTALL = "pip install 'secondsticks[ocr]'"
NOT_INSTALLED = f"Reading the text on slates is not installed here: {HOW_TO_INSTALL} adds it."


def is_installed() -> bool:
    """Whether the extra `ocr` is here. Asked anew each time, and without loading it."""
    return all(find_spec(name) for name in ("onnxruntime", "rapidocr"))
