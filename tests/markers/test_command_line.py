"""`secondsticks scan --export`, with the real decoder and a scanner that knows colours."""

import functools
import sys
from pathlib import Path

import pytest

from secondsticks import cli
from tests.markers import readers
from tests.training.coloured import make_clip
from training.scanner import Scanner

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "tests/training/colour_scanner.py"), "--serve"]


@pytest.fixture(autouse=True)
def _colour_scanner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "Scanner", functools.partial(Scanner, command=PROGRAM))


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose slate closes at frame 21, and a file that is no clip."""
    folder = tmp_path_factory.mktemp("footage")
    make_clip(folder / "A001.mov", "-" * 9 + "o" * 12 + "c" * 12 + "-" * 9, start_timecode="23:59:59:20")
    (folder / "notes.mov").write_text("no video\n")
    return folder


def listing(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_all_formats_land_in_the_folder_and_nothing_in_the_footage(
    footage: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = listing(footage)
    status = cli.main(["scan", str(footage), "--export", "all", "--out", str(tmp_path / "new" / "out")])
    out, err = capfd.readouterr()
    files = {name: content.decode() for name, (content, _) in listing(tmp_path / "new" / "out").items()}

    assert (status, "A001.mov" in out, f"Wrote 8 files to {tmp_path}/new/out." in err) == (1, True, True)
    assert sorted(files) == sorted(
        [
            *("claps.csv", "claps.json", "claps.ale", "claps.fcpxml", "claps.xml", "claps.otio"),
            *("resolve/A001-claps.edl", "avid/A001-claps.txt"),
        ]
    )
    assert [one.frame for one in readers.read_fcpxml(files["claps.fcpxml"])[0]] == [21]
    assert [one.frame for one in readers.read_otio(files["claps.otio"])[0]] == [21]
    assert "00:00:00:17" in files["resolve/A001-claps.edl"]
    assert [row["frame"] for row in readers.read_csv(files["claps.csv"])] == ["21", ""]
    assert listing(footage) == before


def test_some_formats_and_again(footage: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "scan",
        str(footage / "A001.mov"),
        "--export",
        "edl,csv,edl",
        "--out",
        str(tmp_path),
        "--sure-only",
    ]
    assert [cli.main(arguments), cli.main(arguments)] == [0, 0]
    assert sorted(listing(tmp_path)) == ["A001-claps.csv", "resolve/A001-claps.edl"]


@pytest.mark.parametrize(
    "arguments",
    [["--export", "csv"], ["--out", "x"], ["--export", "avi", "--out", "x"], ["--export", "", "--out", "x"]],
)
def test_wrong_usage(arguments: list[str], footage: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["scan", str(footage), *arguments])
    assert ended.value.code == 2
    assert "usage:" in capfd.readouterr().err


def test_a_folder_that_cannot_be_used_is_said_before_the_work(
    footage: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    clip = footage / "A001.mov"
    assert cli.main(["scan", str(clip), "--export", "csv", "--out", str(clip)]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith(f"secondsticks: {clip} cannot be used")
