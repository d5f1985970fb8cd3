"""From the lines of a slate to its fields: labels above, before and beside; tilted; other languages; none."""

import pytest

from tests.training.slate_text.boards import COMMON, line, turned
from training.slate_text.fields import CONFIDENT, Form, looked_again

TAKE_OF_IT = {"roll": "A001", "scene": "12A", "take": "3"}


def fields(lines) -> dict[str, str]:
    return {name: read.text for name, read in Form(lines).fields().items()}


def test_values_below_their_labels():
    assert fields(COMMON) == TAKE_OF_IT
    assert all(read.confidence >= CONFIDENT for read in Form(COMMON).fields().values())


@pytest.mark.parametrize("degrees", [-30, -8, 5, 20, 45])
def test_a_tilted_board_reads_the_same(degrees):
    assert fields(turned(COMMON, degrees)) == TAKE_OF_IT


def test_the_order_of_the_lines_says_nothing():
    assert fields(COMMON[::-1]) == TAKE_OF_IT


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("SCENE 12A TAKE 3 ROLL A001", 0, 0)], TAKE_OF_IT),
        ([line("SC12A", 0, 0), line("TK3", 200, 0), line("CAM:B", 0, 60)],
         {"scene": "12A", "take": "3", "camera": "B"}),
        ([line("SCENE NO. 12A", 0, 0)], {"scene": "12A"}),
        ([line("SCENE", 0, 0), line("101B", 120, -3, 26), line("TAKE", 0, 60), line("14", 120, 57, 26)],
         {"scene": "101B", "take": "14"}),
        ([line("CAM ROLL", 0, 0), line("B012", 10, 30, 40),
          line("SOUND ROLL", 300, 0), line("7", 310, 30, 40)],
         {"roll": "B012"}),
        ([line("Szene", 0, 0), line("Rolle", 200, 0), line("Klappe", 400, 0), line("Kam", 600, 0),
          line("7C", 0, 30, 50), line("A003", 200, 30, 50), line("2", 400, 30, 50), line("B", 600, 30, 50)],
         {"scene": "7C", "roll": "A003", "take": "2", "camera": "B"}),
        ([line("SÉQ.", 0, 0), line("PRISE", 200, 0), line("12", 0, 30, 50), line("4", 200, 30, 50)],
         {"scene": "12", "take": "4"}),
        ([line("ESCENA 5", 0, 0), line("TOMA 2", 0, 40), line("ROLLO A002", 0, 80)],
         {"scene": "5", "take": "2", "roll": "A002"}),
        ([line("SCENA 5B", 0, 0), line("CIAK 2", 0, 40), line("RULLO 12", 0, 80)],
         {"scene": "5B", "take": "2", "roll": "12"}),
    ],
)  # fmt: skip
def test_other_boards(lines, expected):
    assert fields(lines) == expected


def test_a_slate_number_stands_for_the_scene_only_where_there_is_none():
    board = [line("SLATE", 0, 0), line("TAKE", 200, 0), line("214", 0, 30, 50), line("2", 200, 30, 50)]
    assert fields(board) == {"scene": "214", "take": "2"}
    with_scene = [*board, line("SCENE", 400, 0), line("12A", 400, 30, 50)]
    assert fields(with_scene) == {"scene": "12A", "take": "2"}


def test_two_columns_that_were_read_as_one_word_are_parted():
    # E | 22 below ROLL | SCENE, with the middles of the letters where the OCR saw them.
    joined = line("E22", 30, 30, 100, wide=270)
    apart = type(joined)(joined.text, joined.score, joined.corners, (0.1, 0.65, 0.9))
    assert fields([line("ROLL", 10, 0), line("SCENE", 150, 0), apart]) == {"roll": "E", "scene": "22"}


def test_what_belongs_to_another_label_is_not_taken():
    board = [line("TAKE", 0, 0), line("FPS", 0, 60), line("25", 60, 58, 26), line("DATE 4/8/25", 0, 100)]
    assert fields(board) == {}


def test_a_value_far_off_may_belong_to_a_label_that_is_covered():
    near = Form([line("SCENE", 0, 0), line("5", 20, 30, 50)]).fields()["scene"]
    far = Form([line("SCENE", 0, 0), line("5", 120, 30, 50)]).fields()["scene"]
    assert near.confidence >= CONFIDENT > far.confidence


def test_the_name_of_a_camera_operator_is_no_camera():
    assert fields([line("CAMERA: R. Tucker", 0, 0), line("SCENE 1", 0, 60)]) == {"scene": "1"}


def test_a_form_nobody_has_filled_in_says_nothing():
    labels = [one for one in COMMON if one.text in ("PROD.", "ROLL", "SCENE", "TAKE", "DATE")]
    assert fields(labels) == {}
    assert fields([]) == {}


def test_large_numbers_without_labels_are_a_guess():
    board = [
        line("A83", 0, 0, 80),
        line("29L", 200, 0, 80),
        line("2", 400, 0, 80),
        line("FURIOUS", 0, 120, 30),
    ]
    read = Form(board).fields()
    assert {name: one.text for name, one in read.items()} == {"roll": "A83", "scene": "29L", "take": "2"}
    assert all(one.confidence < CONFIDENT for one in read.values())


def test_doubt_in_the_letters_is_doubt_in_the_field():
    sure = Form([line("TAKE", 0, 0), line("3", 0, 30, 50)]).fields()["take"]
    unsure = Form([line("TAKE", 0, 0), line("3", 0, 30, 50, score=0.6)]).fields()["take"]
    misread = Form([line("TARE", 0, 0), line("3", 0, 30, 50)]).fields()["take"]
    assert sure.confidence > misread.confidence > unsure.confidence


def test_the_cell_of_a_missing_value_lies_below_its_label():
    board = [one for one in COMMON if one.text != "3"]
    (x0, y0), (x1, _), (_, y2), _ = Form(board).cells()["take"]
    assert x0 < 440 and x1 > 480  # where the take is written
    assert 68 < y0 < 80 and 130 < y2 < 175  # above the next row


def test_a_second_look_is_a_little_less_sure():
    read = looked_again("take", "3", 1.0)
    assert read is not None and read.text == "3" and read.confidence < 1
    assert looked_again("take", "BER", 1.0) is None


def test_a_rule_of_the_form_is_not_take_one_for_sure():
    first_look = Form([line("TAKE", 0, 0), line("1", 0, 30, 50)]).fields()["take"]
    second_look = looked_again("take", "1", 1.0)
    assert second_look and first_look.confidence >= CONFIDENT > second_look.confidence
    without_a_sign, with_one = looked_again("take", "7", 1.0, seen=False), looked_again("take", "7", 1.0)
    assert without_a_sign and with_one and without_a_sign.confidence < with_one.confidence
