"""The checkpoint that comes with the product, on slates rendered here and now."""

from __future__ import annotations

import torch

from training.checkpoints import SHIPPED, card_path, read_checkpoint
from training.inference import load_detector
from training.render.stills import render_still
from training.slates import State

#: Score from which a detection counts.
SURE = 0.5


def test_it_is_whole_small_and_says_what_it_is() -> None:
    card, arrays = read_checkpoint(SHIPPED)
    assert card.name == "day0"
    assert SHIPPED.stat().st_size < 20e6
    assert sum(array.size for array in arrays.values()) > 4e6
    assert card.sources
    assert card.limits
    assert card.numbers["real_pictures"]["all"]["slates"] == 31
    assert "/work" not in card_path(SHIPPED).read_text()


def test_it_finds_rendered_slates_and_their_states() -> None:
    torch.set_num_threads(1)
    detector = load_detector()
    found = right = 0
    for seed in range(12):
        state = State.OPEN if seed % 2 else State.CLOSED
        still = render_still((900, seed), empty=False, state=state)
        (slate, *_) = still.slates
        best = [one for one in detector.detect([still.picture])[0] if one.score >= SURE]
        match = next((one for one in best if one.box.iou(slate.box) >= 0.5), None)
        found += match is not None
        right += match is not None and match.state is state
    assert found >= 10
    assert right >= 8
