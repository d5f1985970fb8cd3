"""Still images as shown, and what is no image."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.stills import StillError, open_still


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def two_tone() -> Image.Image:
    """4 x 2: red on the left, blue on the right."""
    image = Image.new("RGB", (4, 2), (255, 0, 0))
    image.paste((0, 0, 255), (2, 0, 4, 2))
    return image


@pytest.mark.parametrize(
    ("orientation", "shape", "red_at"),
    [(1, (2, 4), (0, 0)), (3, (2, 4), (1, 3)), (6, (4, 2), (0, 0)), (8, (4, 2), (3, 0)), (2, (2, 4), (0, 3))],
)
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, shape: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_still(save(tmp_path / "still.png", two_tone(), exif=exif))
    assert picture.shape == (*shape, 3)
    assert tuple(picture[red_at]) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "RGB"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    ending = "tif" if mode == "CMYK" else "png"
    picture = open_still(save(tmp_path / f"still.{ending}", two_tone().convert(mode)))
    assert (picture.shape, picture.dtype) == ((2, 4, 3), np.uint8)


def test_16_bit_grey_is_scaled_not_cut(tmp_path: Path) -> None:
    deep = np.array([[0, 128 << 8, 255 << 8]], dtype=np.uint16)
    picture = open_still(save(tmp_path / "deep.png", Image.fromarray(deep)))
    assert picture[0, :, 0].tolist() == [0, 128, 255]


def test_the_name_does_not_matter(tmp_path: Path) -> None:
    save(tmp_path / "still.png", two_tone()).rename(tmp_path / "still.mov")
    assert open_still(tmp_path / "still.mov").shape == (2, 4, 3)


def refusal(path: Path, **limits: int) -> tuple[str, str]:
    with pytest.raises(StillError) as refused:
        open_still(path, **limits)
    return refused.value.kind, str(refused.value)


def test_a_missing_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.png")[0] == "missing"
    assert refusal(tmp_path / "no\0.png")[0] == "missing"


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    assert refusal(tmp_path / "empty.png")[0] == "empty"


def test_a_text(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    assert refusal(tmp_path / "text.png")[0] == "not_picture"


def test_a_folder_and_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path)[0] == "not_picture"
    assert refusal(tmp_path / "pipe")[0] == "not_picture"


def test_a_torn_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    whole = save(tmp_path / "still.png", Image.fromarray(noise)).read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    assert refusal(tmp_path / "torn.png")[0] == "broken"


def test_a_picture_over_the_limit_is_refused_by_its_header(tmp_path: Path) -> None:
    path = save(tmp_path / "wide.png", Image.new("1", (2000, 2000)))
    assert refusal(path, max_pixels=1_000_000) == (
        "too_large",
        "The image is too large: 2000 x 2000, over 1 megapixels.",
    )


def test_a_postscript_file_starts_no_other_program(tmp_path: Path) -> None:
    (tmp_path / "page.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    assert refusal(tmp_path / "page.eps")[0] == "not_picture"
