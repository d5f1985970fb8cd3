"""Small clips of every nasty kind, whose frames carry their own number as blocks of light."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 320, 180
BITS = 12
SAMPLE_RATE = 48_000


def numbered_picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Frame `number` in binary, as light blocks in the upper half; the corner top left is red."""
    picture = np.full((height, width, 3), 40, np.uint8)
    scale = width / WIDTH
    for bit in range(BITS):
        if number >> bit & 1:
            left, right = int((8 + bit * 25) * scale), int((28 + bit * 25) * scale)
            picture[int(40 * scale) : int(100 * scale), left:right] = 220
    picture[: int(24 * scale), : int(24 * scale)] = (230, 30, 30)
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number that numbered_picture wrote, at any scale."""
    scale = picture.shape[1] / WIDTH
    light = [picture[int(70 * scale), int((18 + bit * 25) * scale)].mean() > 130 for bit in range(BITS)]
    return sum(1 << bit for bit, on in enumerate(light) if on)


def render(
    path: Path,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
    frames: int = 60,
    rate: Fraction = Fraction(24),
    times: Sequence[int] | None = None,
    rotation: int = 0,
    metadata: dict[str, str] | None = None,
    sound: bool = False,
    pixel_aspect: Fraction | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    colors: dict[str, int] | None = None,
) -> Path:
    """Frame n shows n and is shown at `times[n]` (in frame times; n by default)."""
    with av.open(str(path), "w", options=muxer_options or {}) as sink:
        stream = sink.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = 1 / rate
        for name, value in (colors or {}).items():
            setattr(stream.codec_context, name, value)
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        stream.metadata.update(metadata or {})
        track = sink.add_stream("aac", rate=SAMPLE_RATE, layout="stereo") if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, *size), format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = 1 / rate
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
        if track:
            for packet in _beeps(track, frames / rate):
                sink.mux(packet)
    return path


def _beeps(track: av.audio.stream.AudioStream, seconds: Fraction) -> Iterable[av.Packet]:
    """A hundredth of a second of noise at the start of every second."""
    for start in range(0, int(seconds * SAMPLE_RATE), 4800):
        samples = np.zeros((2, 4800), np.float32)
        if start % SAMPLE_RATE == 0:
            samples[:, :480] = 0.9
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield from track.encode(frame)
    yield from track.encode(None)


def beep_seconds(path: Path) -> list[float]:
    """When the beeps of a file start, on its own clock."""
    starts: list[float] = []
    with av.open(str(path)) as source:
        rate = source.streams.audio[0].rate
        for frame in source.decode(audio=0):
            loud = np.nonzero(np.abs(frame.to_ndarray()[0]) > 0.3)[0]
            at = float(frame.pts * frame.time_base) + loud[0] / rate if len(loud) else None
            if at is not None and (not starts or at - starts[-1] > 0.5):
                starts.append(at)
    return starts


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as sink:
        track = sink.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        for packet in _beeps(track, Fraction(1)):
            sink.mux(packet)
    return path


def cut_by_edit_list(path: Path, frames: int) -> Path:
    """Make the one edit of an mp4 start `frames` frames later, as a camera's or an app's trim does."""
    content = bytearray(path.read_bytes())
    at = content.index(b"elst") + 4
    ticks = struct.unpack(">I", content[(mdhd := content.index(b"mdhd") + 4) + 12 : mdhd + 16])[0]
    duration, media_time = struct.unpack(">Ii", content[at + 8 : at + 16])
    later = frames * ticks // 24
    struct.pack_into(">Ii", content, at + 8, duration - frames * 1000 // 24, media_time + later)
    path.write_bytes(content)
    return path


def truncate(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def flip_bits(path: Path, seed: int, flips: int = 40) -> Path:
    """Damage the pictures of an mp4 with its index in front, never the index."""
    content = bytearray(path.read_bytes())
    first = content.index(b"mdat") + 8
    for at in np.random.default_rng(seed).integers(first + 2000, len(content), flips):
        content[at] ^= 1 << int(at) % 8
    path.write_bytes(content)
    return path


def punch_hole(path: Path, share: float, size: int = 2000) -> Path:
    content = bytearray(path.read_bytes())
    at = int(len(content) * share)
    content[at : at + size] = bytes(size)
    path.write_bytes(content)
    return path


def claim_size(path: Path, width: int, height: int) -> Path:
    """Write another picture size into the sample description of a mov."""
    content = bytearray(path.read_bytes())
    at = content.index(b"stsd") + 4 + 8 + 4 + 4 + 24
    struct.pack_into(">HH", content, at, width, height)
    path.write_bytes(content)
    return path


def claim_jpeg_size(path: Path, width: int, height: int) -> Path:
    """Write another size into every JPEG frame of a clip: its header stays innocent."""
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"\xff\xc0\x00\x11\x08", at + 1)) >= 0:
        struct.pack_into(">HH", content, at + 5, height, width)
    path.write_bytes(content)
    return path


def tricks(folder: Path, sibling: Path, port: int) -> dict[str, Path]:
    """Texts that make libavformat open other things; each as a .mp4. (name -> path)"""
    web = f"http://127.0.0.1:{port}"
    playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n"
    texts = {
        "hls_file": f"{playlist}#EXTINF:2.0,\nfile://{sibling}\n#EXT-X-ENDLIST\n",
        "hls_sibling": f"{playlist}#EXTINF:2.0,\n{sibling.name}\n#EXT-X-ENDLIST\n",
        "hls_http": f"{playlist}#EXTINF:2.0,\n{web}/a.ts\n#EXT-X-ENDLIST\n",
        "hls_master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{web}/b.m3u8\n",
        "hls_key": f'{playlist}#EXT-X-KEY:METHOD=AES-128,URI="{web}/key"\n'
        f"#EXTINF:2.0,\n{sibling.name}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {sibling.name}\n",
        "concat_http": f"ffconcat version 1.0\nfile {web}/c.ts\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{web}/d.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "html": f'<html><video src="{web}/e.mp4"></video></html>',
        "rtsp_text": f"rtsptext\nrtsp://127.0.0.1:{port}/f\n",
    }
    paths = {}
    for name, text in texts.items():
        paths[name] = folder / f"{name}.mp4"
        paths[name].write_text(text)
    return paths
