"""Hands, arms and people: who holds the slate, and who stands about."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.render.geometry import Floats, Picture, Points, Region, lay
from training.render.lettering import Color
from training.render.surfaces import cloth, soft_noise

_SKIN: tuple[Color, ...] = (
    (245, 205, 180), (230, 185, 155), (215, 165, 130), (190, 140, 105), (160, 110, 80),
    (120, 80, 58), (85, 56, 42),
)  # fmt: skip


def skin_tone(rng: np.random.Generator) -> Color:
    return tuple(np.asarray(_SKIN[int(rng.integers(len(_SKIN)))]) + rng.normal(0, 8, 3))


@dataclass(frozen=True)
class Hand:
    """A hand: where its palm is (pixels), where its fingers point (degrees, 0 right, 90 down), how large."""

    x: float
    y: float
    fingers: float
    arm: float
    size: float  # palm width in pixels
    shown: str  # "fingers", "thumb" or "point": what lies in front of the slate
    skin: Color
    sleeve: Color | None
    gain: float
    seed: int


def choose_hand(
    rng: np.random.Generator, x: float, y: float, inward: float, *, size: float, shown: str
) -> Hand:
    glove = rng.random() < 0.06
    return Hand(
        x=x,
        y=y,
        fingers=inward + float(rng.normal(0, 16)),
        arm=inward + 180 + float(rng.normal(0, 30)),
        size=size,
        shown=shown,
        skin=tuple(rng.uniform(10, 70, 3)) if glove else skin_tone(rng),
        sleeve=tuple(rng.uniform(5, 240, 3)) if rng.random() < 0.6 else None,
        gain=1.0,
        seed=int(rng.integers(2**31)),
    )


def draw_hand(picture: Picture, hand: Hand, gain: Floats) -> None:
    """Draw the hand and its arm onto the picture, in place; gain (3) is the light on it."""
    rng = np.random.default_rng(hand.seed)
    palm = np.array([hand.x, hand.y])
    skin = np.asarray(hand.skin, np.float32) * gain
    _draw_arm(picture, hand, palm, skin if hand.sleeve is None else gain, rng)
    high, wide = picture.shape[:2]
    region = Region.around(palm[None], wide, high, hand.size * 2.1)
    if region.empty:
        return
    flesh, creases = np.zeros(region.shape, np.uint8), np.zeros(region.shape, np.uint8)
    _fingers(flesh, creases, hand, palm - [region.x0, region.y0], rng)
    lined = 1 - creases.astype(np.float32) * np.float32(0.45 / 255)
    lay(picture, _shaded(skin, flesh, hand.size * 0.22, rng, lined), region)


def _draw_arm(picture: Picture, hand: Hand, palm: Points, light: Floats, rng: np.random.Generator) -> None:
    high, wide = picture.shape[:2]
    elbow = palm + _way(hand.arm) * hand.size * 15
    region = Region.around(np.array([palm, elbow]), wide, high, hand.size * 1.8)
    if region.empty:
        return
    arm = np.zeros(region.shape, np.uint8)
    _arm(arm, hand, palm - [region.x0, region.y0], rng)
    color = light
    if hand.sleeve is not None:
        color = cloth(rng, region.shape[1], region.shape[0], hand.sleeve) * light
    lay(picture, _shaded(color, arm, hand.size * 0.9, rng), region)


def _shaded(
    color: Floats, mask: Picture, depth: float, rng: np.random.Generator, extra: Floats | None = None
) -> Floats:
    """Round a flat shape, darker towards its edge; color is 3 or H x W x 3, `extra` more shade (H x W)."""
    inner = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
    bulge = cv2.sqrt(np.minimum(inner * np.float32(1 / max(depth, 1.0)), np.float32(1)))
    fine = soft_noise(rng, mask.shape[1], mask.shape[0], cells=24)
    light = cv2.addWeighted(bulge, 0.42, fine, 0.1, 0.57)
    if rng.random() < 0.5:
        light = cv2.add(light, cv2.Sobel(bulge, cv2.CV_32F, int(rng.random() < 0.5), 1, ksize=3, scale=0.1))
    if extra is not None:
        light = cv2.multiply(light, extra)
    edge = cv2.GaussianBlur(mask, (0, 0), min(max(0.6, depth * 0.04), 2.5)).astype(np.float32)
    light = cv2.multiply(light, edge, scale=1 / 255)
    shaded = cv2.multiply(cv2.merge([light] * 3), np.broadcast_to(color, (*mask.shape, 3)).astype(np.float32))
    return cv2.merge([*cv2.split(cv2.min(shaded, cv2.merge([edge] * 3))), edge])


def _way(degrees: float) -> Points:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def _stroke(mask: Picture, start: Points, end: Points, width: float, value: int = 255) -> None:
    a, b = (tuple(int(v) for v in np.round(p * 8)) for p in (start, end))
    cv2.line(mask, a, b, value, max(1, round(width)), cv2.LINE_AA, 3)


def _arm(mask: Picture, hand: Hand, at: Points, rng: np.random.Generator) -> None:
    along, across = _way(hand.arm), _way(hand.arm + 90)
    wrist, elbow = at + along * hand.size * 0.5, at + along * hand.size * 15
    thin, thick = hand.size * float(rng.uniform(0.34, 0.48)), hand.size * float(rng.uniform(0.8, 1.8))
    corners = [wrist + across * thin, wrist - across * thin, elbow - across * thick, elbow + across * thick]
    cv2.fillConvexPoly(mask, np.round(np.array(corners) * 8).astype(np.int32), 255, cv2.LINE_AA, 3)


def _fingers(flesh: Picture, creases: Picture, hand: Hand, at: Points, rng: np.random.Generator) -> None:
    forward, aside = _way(hand.fingers), _way(hand.fingers + 90) * (1 if hand.seed % 2 else -1)
    palm = hand.size
    axes = (int(palm * 0.55), int(palm * 0.48))
    middle = tuple(int(v) for v in np.round(at))
    cv2.ellipse(flesh, middle, axes, hand.fingers, 0, 360, 255, -1, cv2.LINE_AA)
    wrist = at + _way(hand.arm) * palm * 0.75
    _stroke(flesh, at, wrist, palm * 0.62)
    if hand.shown == "thumb":
        base, tip = at + aside * palm * 0.2, at + forward * palm * float(rng.uniform(0.8, 1.1))
        _stroke(creases, base + forward * palm * 0.3, tip, palm * 0.36)
        _stroke(creases, base + forward * palm * 0.3, tip, palm * 0.27, 0)
        _stroke(flesh, base, tip, palm * 0.29)
        return
    lengths = (0.9, 1.0, 0.95, 0.75) if hand.shown == "fingers" else (1.15, 0.4, 0.35, 0.3)
    reach = palm * float(rng.uniform(0.85, 1.15))
    for place, length in enumerate(lengths):
        base = at + aside * palm * (place - 1.5) * 0.24 + forward * palm * 0.2
        tip = base + (forward + aside * rng.normal(0, 0.08)) * reach * length
        _stroke(creases, base, tip, palm * 0.27)
        _stroke(creases, base, tip, palm * 0.2, 0)
        _stroke(flesh, base, tip, palm * 0.22)
    if rng.random() < 0.6:
        _stroke(flesh, at - aside * palm * 0.3, at - aside * palm * 0.75 + forward * palm * 0.45, palm * 0.25)
    if hand.shown == "point" and rng.random() < 0.5:
        tip = at + forward * palm * 1.1
        _stroke(creases, tip - forward * palm * 0.8, tip + forward * palm * 0.7, palm * 0.13)
        _stroke(flesh, tip - forward * palm * 0.8, tip + forward * palm * 0.7, palm * 0.11)


def draw_person(picture: Picture, x: float, y: float, head: float, gain: Floats, seed: int) -> None:
    """A head of `head` pixels height with its top at y, shoulders and a torso below, in place."""
    rng = np.random.default_rng(seed)
    high, wide = picture.shape[:2]
    low = min(high + head, y + head * 7)
    region = Region.around(np.array([[x - head * 2, y - head * 0.3], [x + head * 2, low]]), wide, high)
    if region.empty:
        return
    at = np.array([x - region.x0, y - region.y0])
    torso, face, hair = (np.zeros(region.shape, np.uint8) for _ in range(3))
    half, drop = head * float(rng.uniform(0.8, 1.25)), head * float(rng.uniform(1.15, 1.4))
    body = np.array([[-0.25, drop - head * 0.25], [0.25, drop - head * 0.25], [1, drop + head * 0.25]])
    body = np.r_[body, [[1.1, head * 7], [-1.1, head * 7], [-1, drop + head * 0.25]]]
    shape = (body * [half, 1] + at) * 8
    cv2.fillPoly(torso, [np.round(shape).astype(np.int32)], 255, cv2.LINE_AA, 3)
    centre = (int(at[0]), int(at[1] + head * 0.5))
    crown = (int(at[0] + rng.normal(0, 0.05) * head), int(at[1] + head * rng.uniform(0.3, 0.5)))
    long = (int(head * rng.uniform(0.38, 0.5)), int(head * rng.uniform(0.42, 0.8)))
    cv2.ellipse(hair, crown, long, 0, 0 if rng.random() < 0.4 else 180, 360, 255, -1, cv2.LINE_AA)
    cv2.ellipse(face, centre, (int(head * 0.36), int(head * 0.5)), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(
        face, (int(at[0] - head * 0.17), centre[1]), (int(at[0] + head * 0.17), int(at[1] + drop)), 255, -1
    )
    skin = np.asarray(skin_tone(rng), np.float32) * gain
    dark = rng.uniform(0.1, 0.7) * np.array([150, 110, 70], np.float32) * gain
    clothes = cloth(rng, region.shape[1], region.shape[0], tuple(rng.uniform(8, 230, 3)))
    flat = np.ones((*region.shape, 3), np.float32)
    _features(flat, at, head)
    lay(picture, _shaded(flat * dark, hair, head * 0.3, rng), region)
    lay(picture, _shaded(clothes * gain, torso, head * 0.5, rng), region)
    lay(picture, _shaded(flat * skin, face, head * 0.4, rng), region)


def _features(shade: Floats, at: Points, head: float) -> None:
    for side in (-1, 1):
        eye = (int(at[0] + side * head * 0.15), int(at[1] + head * 0.45))
        cv2.ellipse(
            shade, eye, (max(1, int(head * 0.07)), max(1, int(head * 0.035))), 0, 0, 360, (0.35,) * 3, -1
        )
    mouth = (int(at[0]), int(at[1] + head * 0.78))
    cv2.ellipse(
        shade, mouth, (max(1, int(head * 0.12)), max(1, int(head * 0.03))), 0, 0, 360, (0.7, 0.45, 0.45), -1
    )
