"""Files of sound recorders: their facts, their samples, and where clips lie in them."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.training.clicking import Track, samples_of
from training.claps.appearance import Clap
from training.footage.facts import ClipFacts
from training.sound.files import SoundFile, SoundFileError, probe_sound, read_sound
from training.sound.links import link
from training.sound.transients import Transient, find_transients

IXML = "<BWFXML><PROJECT>Night</PROJECT><SCENE>12A</SCENE><TAKE>3</TAKE><TAPE>DAY04</TAPE>" + (
    "<SPEED><TIMECODE_RATE>24000/1001</TIMECODE_RATE></SPEED></BWFXML>"
)


def chunk(name: bytes, body: bytes, *, claims: int | None = None) -> bytes:
    size = len(body) if claims is None else claims
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def bext(reference: int) -> bytes:
    texts = b"take three".ljust(256, b"\0") + b"recorder".ljust(32, b"\0") + b"".ljust(32, b"\0")
    return texts + b"2026-11-23" + b"17-41-43" + struct.pack("<Q", reference) + bytes(256)


def encoded(samples: np.ndarray, bits: int, floating: bool) -> bytes:
    frames = np.ascontiguousarray(samples.T)
    if floating:
        return frames.astype(f"<f{bits // 8}").tobytes()
    whole = np.round(frames.astype(np.float64) * (2 ** (bits - 1) - 1)).astype("<i4")
    if bits == 24:
        return np.ascontiguousarray(whole[..., None].view(np.uint8)[..., :3]).tobytes()
    return whole.astype(f"<i{bits // 8}").tobytes()


def write(
    path: Path,
    samples: np.ndarray,
    *,
    rate: int = 48_000,
    bits: int = 24,
    floating: bool = False,
    reference: int | None = None,
    form: bytes = b"RIFF",
    data_claims: int | None = None,
    ixml: str = "",
) -> Path:
    channels, block = len(samples), len(samples) * bits // 8
    body = encoded(samples, bits, floating)
    parts = [
        chunk(
            b"fmt ", struct.pack("<HHIIHH", 3 if floating else 1, channels, rate, rate * block, block, bits)
        )
    ]
    if form == b"RF64":
        sizes = struct.pack("<QQQI", 0, len(body), samples.shape[1], 0)
        parts.insert(0, chunk(b"ds64", sizes))
        data_claims = 0xFFFFFFFF
    if reference is not None:
        parts.append(chunk(b"bext", bext(reference)))
    if ixml:
        parts.append(chunk(b"iXML", ixml.encode()))
    parts.append(chunk(b"data", body, claims=data_claims))
    parts.append(chunk(b"LIST", b"tail"))
    content = b"WAVE" + b"".join(parts)
    path.write_bytes(form + struct.pack("<I", len(content) & 0xFFFFFFFF) + content)
    return path


def tone(channels: int = 2, length: int = 5000) -> np.ndarray:
    time = np.arange(length) / 48_000
    return np.stack([0.5 * np.sin(2 * np.pi * (300 + 100 * n) * time) for n in range(channels)])


@pytest.mark.parametrize(
    ("bits", "floating", "error"),
    [(16, False, 4e-5), (24, False, 2e-7), (32, False, 1e-7), (32, True, 1e-7), (64, True, 1e-7)],
)
@pytest.mark.parametrize("form", [b"RIFF", b"RF64"])
def test_every_depth_is_read_back(
    tmp_path: Path, bits: int, floating: bool, error: float, form: bytes
) -> None:
    samples = tone(3)
    sound = probe_sound(write(tmp_path / "a.wav", samples, bits=bits, floating=floating, form=form))
    assert (sound.sample_rate, sound.channels, sound.bits, sound.floating) == (48_000, 3, bits, floating)
    assert (sound.samples, sound.duration) == (5000, Fraction(5000, 48_000))
    blocks = list(read_sound(sound))
    assert np.abs(np.concatenate([b.samples for b in blocks], axis=1) - samples).max() < error


def test_the_recorders_words_are_read(tmp_path: Path) -> None:
    reference = 3600 * 48_000
    sound = probe_sound(write(tmp_path / "a.wav", tone(), reference=reference, ixml=IXML))
    assert (sound.time_reference, sound.description) == (reference, "take three")
    assert sound.recorded_at == "2026-11-23 17:41:43"
    assert (sound.scene, sound.take, sound.tape) == ("12A", "3", "DAY04")
    assert sound.timecode_rate == Fraction(24000, 1001)


def test_a_plain_wav_has_no_time(tmp_path: Path) -> None:
    sound = probe_sound(write(tmp_path / "a.wav", tone()))
    assert (sound.time_reference, sound.scene, sound.timecode_rate) == (None, "", None)


@pytest.mark.parametrize("claims", [0, 0xFFFFFFFF, 10**9])
def test_a_file_that_was_cut_off_holds_what_was_written(tmp_path: Path, claims: int) -> None:
    path = write(tmp_path / "a.wav", tone(), data_claims=claims)
    sound = probe_sound(path)
    assert 5000 <= sound.samples < 5010
    assert sum(block.samples.shape[1] for block in read_sound(sound)) == sound.samples


def test_long_files_come_in_blocks(tmp_path: Path) -> None:
    sound = probe_sound(write(tmp_path / "a.wav", tone(1, 100_000), bits=16))
    assert [(b.first, b.samples.shape) for b in read_sound(sound)] == [
        (0, (1, 32_768)),
        (32_768, (1, 32_768)),
        (65_536, (1, 32_768)),
        (98_304, (1, 1_696)),
    ]


def headed(*chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + sum(map(len, chunks))) + b"WAVE" + b"".join(chunks)


def said(kind: int = 1, channels: int = 1, bits: int = 16) -> bytes:
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, 8000, 8000 * block, block, bits))


SOUND = chunk(b"data", bytes(8))
BROKEN = {
    "empty": (b"", "The file is empty."),
    "text": (b"hello there, this is text", "This is not a WAV file."),
    "avi": (b"RIFF\x10\0\0\0AVI LIST" + bytes(20), "This is not a WAV file."),
    "no format": (headed(SOUND), "damaged"),
    "short format": (headed(chunk(b"fmt ", b"ab"), SOUND), "damaged"),
    "no data": (headed(said()), "damaged"),
    "chunks without end": (headed(*[chunk(b"junk", b"")] * 5000), "damaged"),
    "mp3 in wav": (headed(said(kind=0x55), SOUND), "Only uncompressed"),
    "8 bits": (headed(said(bits=8), SOUND), "Only uncompressed"),
    "no channel": (headed(said(channels=0), SOUND), "claims 0 channels"),
    "too many channels": (headed(said(channels=100), SOUND), "claims 100 channels"),
}


@pytest.mark.parametrize(("content", "sentence"), BROKEN.values(), ids=list(BROKEN))
def test_what_is_no_sound_file_is_refused_in_a_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(SoundFileError, match=sentence) as refused:
        probe_sound(path)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("name", ["missing.wav", ""])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SoundFileError, match=r"not there|not be opened"):
        probe_sound(tmp_path / name)


# --- where a clip lies in a file ---


def facts(rate: Fraction, timecode: str | None, *, drop_frame: bool = False) -> ClipFacts:
    return ClipFacts(
        container="mov", codec="h264", pixel_format="yuv420p", width=64, height=48, rotation=0, rate=rate,
        frames=240, duration=240 / rate, start_timecode=timecode, drop_frame=drop_frame,
    )  # fmt: skip


def recorded(reference: int | None, rate: int = 48_000) -> SoundFile:
    return SoundFile(Path("a.wav"), rate, 1, 24, False, 10 * rate, time_reference=reference)


def heard(seconds: float, confidence: float = 0.95, rate: int = 48_000) -> Transient:
    return Transient(round(seconds * rate), rate, 30.0, confidence, 0, 0)


TIMECODES = [
    # clip rate, start, drop-frame, seconds from midnight to the sound's start, offset in seconds
    (Fraction(24), "01:00:00:00", False, 3590, 10),
    (Fraction(25), "10:00:02:05", False, 36_000, Fraction(11, 5)),
    (Fraction(24000, 1001), "01:00:00:00", False, 3600, Fraction(36, 10)),
    (Fraction(30000, 1001), "01:00:00;00", True, 3600, Fraction(107_892 * 1001, 30_000) - 3600),
    (Fraction(30), "00:00:01:00", False, 86_395, 6),
    (Fraction(24), "23:59:58:00", False, 3, -5),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "start", "drop", "midnight", "offset"), TIMECODES)
def test_timecode_links_to_the_sample(
    rate: Fraction, start: str, drop: bool, midnight: int, offset: Fraction
) -> None:
    found = link(facts(rate, start, drop_frame=drop), [], recorded(midnight * 48_000), [])
    assert found is not None
    assert (found.how, found.by_claps, found.disagreement_ms) == ("timecode", None, None)
    assert found.offset_samples == round(offset * 48_000)
    assert found.offset_frames == found.offset_samples * rate / 48_000


CLAP = Clap(50, 0.9, 49, sample=98_000, sample_rate=48_000)


def test_a_clap_links_to_the_sample_and_tells_how_far_timecode_is_off() -> None:
    file = recorded(3590 * 48_000)
    sounds = [heard(1.0, 0.6), heard(98_000 / 48_000 + 10.04)]
    found = link(facts(Fraction(24), "01:00:00:00"), [CLAP], file, sounds)
    assert found is not None
    assert (found.how, found.by_timecode, found.by_claps) == ("claps", 480_000, 481_920)
    assert (found.offset_samples, found.disagreement_ms) == (481_920, 40.0)
    assert found.offset_frames == pytest.approx(240.96)


def test_a_clap_known_by_its_frames_alone_links_to_their_middle() -> None:
    silent = Clap(50, 0.9, 49)
    found = link(facts(Fraction(24), None), [silent], recorded(None), [heard(3.0)])
    assert found is not None
    assert found.offset_samples == round((3 - Fraction(199, 4) / 24) * 48_000)


def test_the_spacing_of_two_claps_finds_them_among_other_sounds() -> None:
    claps = [CLAP, Clap(100, 0.9, 99, sample=198_000, sample_rate=48_000)]
    sounds = [heard(at) for at in (0.7, 98_000 / 48_000 + 2, 5.1, 198_000 / 48_000 + 2, 9.3)]
    found = link(facts(Fraction(24), None), claps, recorded(None), sounds)
    assert found is not None and found.offset_samples == 96_000


def test_two_equal_sounds_for_one_clap_link_nothing() -> None:
    assert link(facts(Fraction(24), None), [CLAP], recorded(None), [heard(3.0), heard(6.0)]) is None


def test_timecode_decides_where_sounds_cannot() -> None:
    sounds = [heard(11.0), heard(13.0)]
    found = link(facts(Fraction(24), "01:00:00:00"), [CLAP], recorded(3590 * 48_000), sounds)
    assert found is not None and (found.how, found.offset_samples) == ("timecode", 480_000)


def test_a_sound_far_from_where_timecode_puts_the_clap_is_another_one() -> None:
    found = link(facts(Fraction(24), "01:00:00:00"), [CLAP], recorded(3590 * 48_000), [heard(30.0)])
    assert found is not None and found.how == "timecode"


def test_nothing_known_links_nothing() -> None:
    assert link(facts(Fraction(24), None), [CLAP], recorded(3600 * 48_000), []) is None
    assert link(facts(Fraction(24), "01:00:00:00"), [], recorded(None), [heard(3.0)]) is None
    assert link(facts(Fraction(2, 5), "01:00:00:00"), [], recorded(0), []) is None


def test_a_recorders_file_of_another_rate_links_through_its_own_sound(tmp_path: Path) -> None:
    track = Track(clicks=(200_000,), rate=96_000, seconds=4)
    sound = probe_sound(write(tmp_path / "a.wav", samples_of(track), rate=96_000))
    hearing = find_transients(read_sound(sound))
    found = link(facts(Fraction(24), None), [CLAP], sound, hearing.transients)
    assert found is not None
    assert abs(found.offset_samples - (200_000 - 196_000)) <= 2
