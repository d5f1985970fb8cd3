"""Which frames make a batch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.uncertainty import Candidates, Chosen, Strategy, Why, Worth, choose


def clip(name: str, scores: dict[int, float], *, hashes: dict[int, int] | None = None) -> Candidates:
    """A clip of 1000 frames; every hundred frames another slate."""
    worths = [Worth(frame, score, ("unclear",), frame // 100) for frame, score in scores.items()]
    return Candidates(name, 1000, worths, hashes or {})


def frames(batch: list[Chosen]) -> list[tuple[str, int]]:
    return [one.key for one in batch]


def test_the_best_come_first_where_all_are_alike_far() -> None:
    pool = [clip("a", {5: 0.3}), clip("b", {5: 0.9}), clip("c", {5: 0.6})]
    assert frames(choose(pool, size=3, seed=1, random_share=0)) == [("b", 5), ("c", 5), ("a", 5)]


def test_no_more_than_two_frames_of_one_slate() -> None:
    pool = [clip("a", {frame: 0.9 for frame in range(50)} | {150: 0.1})]
    picked = [one for one in choose(pool, size=5, seed=1, random_share=0) if one.why is Why.UNCERTAIN]
    assert sorted(one.worth.appearance or 0 for one in picked) == [0, 0, 1]


def test_alike_pictures_are_not_asked_for_twice() -> None:
    """The second best looks like the best; the third is new."""
    same, other = 0x0F0F_0F0F_0F0F_0F0F, -0x0F0F_0F0F_0F0F_0F10
    pool = [
        clip("a", {5: 0.9}, hashes={5: same}),
        clip("b", {5: 0.8}, hashes={5: same}),
        clip("c", {5: 0.4}, hashes={5: other}),
    ]
    assert frames(choose(pool, size=2, seed=1, random_share=0)) == [("a", 5), ("c", 5)]


def test_what_is_labelled_already_counts_as_seen() -> None:
    pool = [clip("a", {5: 0.9, 105: 0.9}, hashes={5: 7, 105: 7}), clip("b", {5: 0.5}, hashes={5: -8})]
    assert frames(choose(pool, size=1, seed=1, random_share=0, taken={("a", 5)})) == [("b", 5)]


def test_clips_asked_little_about_come_first() -> None:
    pool = [clip("a", {5: 0.8, 105: 0.8}), clip("b", {5: 0.6})]
    assert frames(choose(pool, size=2, seed=1, random_share=0)) == [("a", 5), ("b", 5)]


def test_plain_uncertainty_takes_the_best_whatever_they_are() -> None:
    pool = [clip("a", {1: 0.9, 2: 0.8, 3: 0.7}), clip("b", {1: 0.6})]
    batch = choose(pool, size=3, seed=1, strategy=Strategy.UNCERTAIN, random_share=0)
    assert sorted(frames(batch)) == [("a", 1), ("a", 2), ("a", 3)]


def test_one_per_clip_takes_each_clip_before_any_twice() -> None:
    pool = [clip(name, {}) for name in "abcd"]
    batch = choose(pool, size=6, seed=1, strategy=Strategy.ONE_PER_CLIP, taken={("a", 3)})
    counts = Counter(one.clip for one in batch)
    assert (sum(counts.values()), counts["a"] <= 2, min(counts[name] for name in "bcd")) == (6, True, 1)


def test_a_share_is_drawn_by_chance_and_says_so() -> None:
    pool = [clip(name, {frame: 0.9 for frame in range(0, 1000, 50)}) for name in "abcdefgh"]
    batch = choose(pool, size=20, seed=1, random_share=0.15)
    by_chance = [one for one in batch if one.why is Why.RANDOM]
    assert (len(batch), len(by_chance)) == (20, 3)
    assert all("by chance" in one.worth.reasons[0] for one in by_chance)


def test_chance_is_fair_over_clips_however_long() -> None:
    pool = [Candidates("short", 10, []), Candidates("long", 100_000, [])]
    drawn = [choose(pool, size=1, seed=seed, strategy=Strategy.RANDOM)[0].clip for seed in range(200)]
    assert 70 < Counter(drawn)["short"] < 130


@pytest.mark.parametrize(("in_doubt", "by_chance"), [(0, 4), (1, 0), (9, 2), (40, 4)])
def test_chance_keeps_to_its_share_where_little_is_in_doubt(in_doubt: int, by_chance: int) -> None:
    pool = [clip(f"{number}", {5: 0.9}) for number in range(in_doubt)] or [clip("a", {})]
    batch = choose(pool, size=20, seed=1, random_share=0.2)
    assert Counter(one.why for one in batch)[Why.RANDOM] == by_chance
    assert len(batch) == min(20, in_doubt + by_chance)


def test_a_pool_that_is_too_small_is_taken_whole() -> None:
    pool = [Candidates("a", 3, []), Candidates("b", 2, [])]
    for strategy in (Strategy.RANDOM, Strategy.ONE_PER_CLIP):
        batch = choose(pool, size=9, seed=1, strategy=strategy, taken={("a", 0)})
        assert sorted(frames(batch)) == [("a", 1), ("a", 2), ("b", 0), ("b", 1)]


@pytest.mark.parametrize(
    ("pool", "size", "share"),
    [([clip("a", {}), clip("a", {})], 1, 0.1), ([], -1, 0.1), ([], 1, 1.5)],
)
def test_what_cannot_be_is_refused(pool: list[Candidates], size: int, share: float) -> None:
    with pytest.raises(ValueError):
        choose(pool, size=size, seed=1, random_share=share)


worths = st.builds(
    Worth, st.integers(0, 39), st.floats(0, 1), st.just(("unclear",)), st.none() | st.integers(0, 2)
)
hashes = st.dictionaries(st.integers(0, 39), st.integers(-(2**63), 2**63 - 1), max_size=20)
pools = st.lists(
    st.builds(
        Candidates,
        st.sampled_from("abcdef"),
        st.just(40),
        st.lists(worths, max_size=20, unique_by=lambda worth: worth.frame),
        hashes,
    ),
    max_size=5,
    unique_by=lambda one: one.clip,
)
sizes, seeds, strategies = st.integers(0, 30), st.integers(0, 5), st.sampled_from(Strategy)
shares = st.sampled_from([0.0, 0.15, 1.0])
takens = st.sets(st.tuples(st.sampled_from("abcdef"), st.integers(0, 39)), max_size=20)


@given(pools, sizes, seeds, strategies, shares, takens, st.randoms())
def test_any_batch(pool, size, seed, strategy, share, taken, random) -> None:  # type: ignore[no-untyped-def]
    batch = choose(pool, size=size, seed=seed, strategy=strategy, random_share=share, taken=taken)
    free = sum(one.frames for one in pool) - sum(any(key[0] == one.clip for one in pool) for key in taken)
    keys = frames(batch)
    assert len(set(keys)) == len(keys) <= min(size, free)
    assert not set(keys) & taken
    if strategy is Strategy.DIVERSE:
        slates = Counter(
            (one.clip, one.worth.appearance) for one in batch if one.worth.appearance is not None
        )
        assert all(count <= 2 for (_, slate), count in slates.items() if slate is not None)
    if strategy in (Strategy.RANDOM, Strategy.ONE_PER_CLIP):
        assert len(keys) == min(size, free)
    elif any(one.why is Why.UNCERTAIN for one in batch):
        assert sum(one.why is Why.RANDOM for one in batch) <= share / (1 - share or 1) * len(batch) + 0.5
    shuffled = [Candidates(c.clip, c.frames, random.sample(c.worths, len(c.worths)), c.hashes) for c in pool]
    random.shuffle(shuffled)
    again = choose(shuffled, size=size, seed=seed, strategy=strategy, random_share=share, taken=taken)
    assert again == batch
