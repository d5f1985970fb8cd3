"""The letters on a picture, by RapidOCR with the models that its wheel ships. Needs the extra `ocr`.

Only the child process of training.slate_text.child imports this: onnxruntime stays out of every other one.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rapidocr

from training.slate_text.layout import Line

Picture = npt.NDArray[np.uint8]
#: Lines below this score are noise more often than writing.
NOISE = 0.3
_MODELS = Path(rapidocr.__file__).parent / "models"
# Named one by one: RapidOCR downloads what it has to find by itself.
_DETECTS, _RECOGNISES = _MODELS / "PP-OCRv6_det_small.onnx", _MODELS / "PP-OCRv6_rec_small.onnx"


class NoModels(Exception):
    """The installed RapidOCR does not ship the models that we know."""


class Ocr:
    """Loaded once, about 30 MB of weights; one picture at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        missing = [path.name for path in (_DETECTS, _RECOGNISES) if not path.is_file()]
        if missing:
            raise NoModels(f"RapidOCR {version('rapidocr')} does not ship {' and '.join(missing)}.")
        self._ocr: Any = rapidocr.RapidOCR(
            params={
                "Global.use_cls": False,  # a whole slate is upside down, never one line of it
                "Global.log_level": "error",
                "Global.text_score": 0.0,
                "Det.model_path": str(_DETECTS),
                "Rec.model_path": str(_RECOGNISES),
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def lines(self, picture: Picture) -> list[Line]:
        """What is written on a picture, H x W x 3 RGB; places in its pixels."""
        found = self._ocr(_bgr(picture), return_word_box=True, return_single_char_box=True)
        if not getattr(found, "txts", None):
            return []
        letters = found.word_results if len(found.word_results) == len(found.txts) else [()] * len(found.txts)
        lines = zip(found.txts, found.scores, found.boxes, letters, strict=True)
        return [_line(*line) for line in lines if line[1] >= NOISE]

    def word(self, picture: Picture) -> tuple[str, float]:
        """The one piece of writing that fills a picture, and how sure that is."""
        found = self._ocr(_bgr(picture), use_det=False, return_word_box=False)
        self._ocr.use_det = True
        if not getattr(found, "txts", None):
            return "", 0.0
        return str(found.txts[0]), float(found.scores[0])


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, :, ::-1])


def _line(text: str, score: float, box: npt.NDArray[np.float32], letters: Any) -> Line:
    corners = tuple((float(x), float(y)) for x, y in box)
    return Line(text, float(score), corners, _middles(text, box, letters))  # type: ignore[arg-type]


def _middles(text: str, box: npt.NDArray[np.float32], letters: Any) -> tuple[float, ...]:
    """Where the middle of each letter lies along the line; nothing where they are not the text's letters."""
    along = box[1] - box[0]
    length = float(along @ along)
    shares = {i: i for i, letter in enumerate(text) if not letter.isspace()}
    if not length or len(shares) != len(letters):
        return ()
    middles = [
        float((np.asarray(at, np.float32).mean(axis=0) - box[0]) @ along) / length for _, _, at in letters
    ]
    placed = dict(zip(shares, middles, strict=True))
    return tuple(
        placed.get(i, (placed.get(i - 1, 0.0) + placed.get(i + 1, 1.0)) / 2) for i in range(len(text))
    )
