"""Labels in five languages, and what may stand in a field."""

import pytest

from training.slate_text.words import label_and_rest, label_of, value_of


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ("SCENE", "scene"), ("Sc.", "scene"), ("Szene:", "scene"), ("SCÈNE", "scene"), ("ESCENA", "scene"),
        ("Bild", "scene"), ("SÉQ.", "scene"), ("SLATE", "scene"), ("SHOT", "scene"),
        ("TAKE", "take"), ("TK:", "take"), ("PRISE", "take"), ("TOMA", "take"), ("CIAK", "take"),
        ("Klappe", "take"),
        ("ROLL", "roll"), ("Rolle", "roll"), ("BOBINE", "roll"), ("RULLO", "roll"), ("MAG", "roll"),
        ("CAM", "camera"), ("CAMÉRA", "camera"), ("Kamera:", "camera"), ("CÁMARA", "camera"),
        ("DIRECTOR", ""), ("PROD.", ""), ("CAMERAMAN", ""), ("D.O.P.", ""), ("FPS", ""),
        ("TARE", "take"), ("SCEN", "scene"), ("ITAKE", "take"),
    ],
)  # fmt: skip
def test_labels(word, field):
    label = label_of(word)
    assert label is not None and label.field == field


@pytest.mark.parametrize("word", ["12A", "A001", "Miller", "3", "T", "", "--", "TAKE3"])
def test_what_is_no_label(word):
    assert label_of(word) is None


def test_a_misread_label_is_less_sure():
    sure, misread = label_of("TAKE"), label_of("TARE")
    assert sure and misread and misread.quality < sure.quality == 1


@pytest.mark.parametrize(
    ("word", "field", "value"),
    [
        ("TAKE3", "take", "3"), ("SC12A", "scene", "12A"), ("SCENE:12A", "scene", "12A"),
        ("ROLL-12", "roll", "12"),
        ("Roll:A001", "roll", "A001"), ("ROLLA001", "roll", "A001"), ("CAM:B", "camera", "B"),
        ("TK.4", "take", "4"),
    ],
)  # fmt: skip
def test_labels_with_their_value_in_one_word(word, field, value):
    found = label_and_rest(word)
    assert found is not None
    assert (found[0].field, word[found[1] :]) == (field, value)


@pytest.mark.parametrize("word", ["SCENE", "Camden", "Rolland", "Takeda"])
def test_names_hold_no_label(word):
    assert label_and_rest(word) is None


@pytest.mark.parametrize(
    ("field", "read", "value"),
    [
        ("scene", "12A", "12A"), ("scene", "101B", "101B"), ("scene", "a12", "A12"),
        ("scene", "81/82e", "81/82E"), ("scene", "12-13A", "12-13A"), ("scene", "2 2 D", "22D"),
        ("scene", "I2A", "12A"),
        ("scene", "1O1", "101"),
        ("take", "1", "1"), ("take", "99", "99"), ("take", "03", "03"), ("take", "T4", "4"),
        ("take", "3 PU", "3PU"), ("take", "l", "1"), ("take", "S", "5"),
        ("roll", "A001", "A001"), ("roll", "a001", "A001"), ("roll", "12", "12"), ("roll", "B", "B"),
        ("roll", "AO01", "A001"),
        ("camera", "A", "A"), ("camera", "b", "B"), ("camera", "2", "2"), ("camera", "A CAM", "A"),
    ],
)  # fmt: skip
def test_values(field, read, value):
    found = value_of(field, read)
    assert found is not None and found[0] == value


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("scene", "MILLER"), ("scene", ""), ("scene", "00:00:02:03"), ("scene", "4/8/25"),
        ("scene", "123456"),
        ("take", "0"), ("take", "12A"), ("take", "A"), ("take", "1234"), ("take", "\u0667"), ("roll", "小"),
        ("roll", "MILLER"), ("roll", "4/8/25"), ("camera", "Randy Tucker"), ("camera", "J. Doe"),
    ],
)  # fmt: skip
def test_what_can_be_no_value(field, read):
    assert value_of(field, read) is None


def test_a_repaired_digit_is_less_sure():
    as_read, repaired = value_of("take", "5"), value_of("take", "S")
    assert as_read and repaired and as_read[1] == 1 > repaired[1]
