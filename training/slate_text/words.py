"""The words and formats of slates: which label means which field, and what may stand in a field."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

FIELDS = ("scene", "take", "roll", "camera")

#: In English, German, French, Spanish and Italian, without accents.
_LABELS = {
    "scene": "SCENE SCENES SC SCN SZENE SZ BILD SEQUENCE SEQ ESCENA ESC SCENA SEQUENZA SECUENCIA",
    "take": "TAKE TK PRISE TOMA KLAPPE CIAK",
    "roll": "ROLL ROLLE ROLLO RULLO REEL BOBINE CARD MAG MAGAZINE MAGASIN KARTE CARTE TARJETA SCHEDA CAMROLL",
    "camera": "CAMERA CAM KAMERA KAM CAMARA",
}
#: These count for the scene where no label says scene: a British slate has a running number instead.
_INSTEAD_OF_SCENE = "SLATE SHOT SETUP EINSTELLUNG EINST PLAN PLANO INQUADRATURA INQ"
#: Labels of what we do not read. They end a field's place, and what stands beside them is theirs.
_OTHERS = (
    "PROD PRODUCTION PRODUKTION PRODUCCION PRODUZIONE TITLE TITEL TITRE TITULO TITOLO FILM DIRECTOR REGIE "
    "REGISSEUR REALISATEUR REALISATION REGIA REGISTA DIRECCION CAMERAMAN DOP DP DATE DATUM FECHA DATA SOUND "
    "TON SON SONIDO SUONO FPS FILTER MOS SYNC DAY NIGHT INT EXT LENS CLIENT AGENCY COMPANY EPISODE EP"
)
#: Between a label and its value these say nothing.
FILLERS = frozenset({"NO", "NR", "NUM", "N", "NUMBER", ""})
#: Longer ones are known with one letter misread.
_FORGIVING_FROM = 4
_MISREAD_LABEL = 0.85
_WEAK_LABEL = 0.95


@dataclass(frozen=True, slots=True)
class Label:
    """A label on the slate: a field, or "" for one of the others. `weak`: counts only instead of a better."""

    field: str
    quality: float
    weak: bool = False


_KNOWN: dict[str, Label] = {word: Label("", 1.0) for word in _OTHERS.split()}
_KNOWN |= {word: Label("scene", _WEAK_LABEL, weak=True) for word in _INSTEAD_OF_SCENE.split()}
_KNOWN |= {word: Label(field, 1.0) for field, words in _LABELS.items() for word in words.split()}
#: Most boards have these labels for the name of who stands at the camera.
NAMES = 0.75
_KNOWN |= {word: Label("camera", NAMES) for word in ("CAMERA", "KAMERA", "CAMARA")}
_BY_LENGTH = sorted(_KNOWN, key=len, reverse=True)


def plain(text: str) -> str:
    """Capitals without accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).upper()


def label_of(word: str) -> Label | None:
    """The label that a word is, with one letter misread at most."""
    bare = re.sub(r"[^A-Z]", "", plain(word))
    if not bare or any(letter.isdigit() for letter in word):
        return None
    if bare in _KNOWN:
        return _KNOWN[bare]
    if len(bare) < _FORGIVING_FROM - 1:
        return None
    near = [known for known in _KNOWN if len(known) >= _FORGIVING_FROM and _one_apart(bare, known)]
    if not near:
        return None
    meant = max((_KNOWN[known] for known in near), key=lambda label: bool(label.field))
    return Label(meant.field, meant.quality * _MISREAD_LABEL, meant.weak)


def label_and_rest(word: str) -> tuple[Label, int] | None:
    """A label that a value follows without a space, and where the value begins: TAKE3, SC.12A, CAM:B."""
    upper = plain(word)
    if len(upper) != len(word):
        return None
    for known in _BY_LENGTH:
        if not upper.startswith(known):
            continue
        rest = upper[len(known) :].lstrip(" .:#-=")
        marked = len(rest) < len(upper) - len(known)
        if rest and (marked or rest[0].isdigit() or re.fullmatch(r"[A-Z]{0,2}\d+[A-Z]?", rest)):
            return _KNOWN[known], len(upper) - len(rest)
    return None


def _one_apart(text: str, other: str) -> bool:
    """Whether one letter put in, left out or changed makes the one of the other."""
    if len(text) > len(other):
        text, other = other, text
    if len(other) - len(text) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), len(text))
    if len(text) == len(other):
        return text[start + 1 :] == other[start + 1 :]
    return text[start:] == other[start + 1 :]


#: Letters that are read where digits stand.
_DIGITS = str.maketrans("OQDILTZSBG|!", "000117258611")
_MISREAD = 0.75
_TAKE = re.compile(r"(?:T|TK)?(\d{1,3})((?:PU|P/U|AB|FS|\+)?)")
# Nobody uses I and O for scenes and rolls, because they look like digits.
_SCENE = re.compile(r"[A-HJ-NP-Z]{0,2}\d{1,4}[A-HJ-NP-Z]{0,3}(?:[/-]\d{1,4}[A-HJ-NP-Z]{0,3})?")
_ROLL = re.compile(r"[A-HJ-NP-Z]{0,2}\d{1,4}")
_CAMERA = re.compile(r"[A-Z]|[A-Z]?\d{1,3}")


def value_of(field: str, text: str) -> tuple[str, float] | None:
    """A field's value from what was read there, and how well it fits, 0 to 1; None if it cannot be one."""
    compact = re.sub(r"[\s.,:;_'\"()#*]", "", plain(text)).strip("-/")
    if not compact or len(compact) > 12 or not compact.isascii():
        return None
    return {"scene": _scene, "take": _take, "roll": _roll, "camera": _camera}[field](compact)


def _take(text: str) -> tuple[str, float] | None:
    if (found := _TAKE.fullmatch(text)) and int(found[1]) > 0:
        return found[1] + found[2], 1.0 if len(found[1]) < 3 else _MISREAD
    digits = text.translate(_DIGITS)
    if digits.isdigit() and len(digits) <= 2 and int(digits):
        return digits, _MISREAD
    return None


def _scene(text: str) -> tuple[str, float] | None:
    if _SCENE.fullmatch(text):
        return text, 0.9 if "/" in text or "-" in text else 1.0
    if not any(letter.isdigit() for letter in text):
        return None
    # A misread digit before the letter at the end, or there too.
    repaired = (text[:-1].translate(_DIGITS) + text[-1], text.translate(_DIGITS))
    return next(((better, _MISREAD) for better in repaired if _SCENE.fullmatch(better)), None)


def _roll(text: str) -> tuple[str, float] | None:
    if _ROLL.fullmatch(text):
        return text, 0.85 if text.isdigit() and len(text) > 3 else 1.0  # mostly A001 with its A misread
    if len(text) == 1 and text.isalpha():
        return text, 0.95
    better = text[:1] + text[1:].translate(_DIGITS)
    if any(letter.isdigit() for letter in text) and _ROLL.fullmatch(better):
        return better, _MISREAD
    return None


def _camera(text: str) -> tuple[str, float] | None:
    bare = re.sub(r"CAM(ERA)?$", "", text) or text
    if _CAMERA.fullmatch(bare):
        return bare, 1.0 if bare in "ABCDEFGH" or (len(bare) == 1 and bare.isdigit()) else 0.85
    return None
