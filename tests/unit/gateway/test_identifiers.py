"""Whom a message names: numbers that are a patient's, of their assigner, and no placeholders."""

import pytest

from shared.events.base import Identifier
from shared.events.inbound import Merge
from tests.unit.gateway.messages import msh, text
from tests.unit.gateway.translating import refusal_of, translated


def named_by(*fields: str) -> tuple[Identifier, ...]:
    """What PID-2, PID-3 and PID-4 name."""
    pid = "|".join(("PID", "1", *fields, "Okafor^Ngozi"))
    return translated(text(msh("ADT^A08^ADT_A01"), pid)).person.identifiers


def test_an_authority_may_be_an_oid_alone_or_stand_beside_its_name():
    assert named_by("", "77^^^&2.16.840.1.113883.19.5&ISO^MR~78^^^LAKE&2.16.840.1&ISO^PI", "") == (
        Identifier("2.16.840.1.113883.19.5", "77"),
        Identifier("LAKE", "78", "PI"),
    )


def test_what_stands_in_pid_2_and_pid_4_beside_pid_3_is_another_number_than_the_senders():
    assert named_by("4711", "40071^^^LAKESIDE^MR", "R-9^^^CLINIC~12") == (
        Identifier("LAKESIDE", "40071"),
        Identifier("CLINIC", "R-9"),
    )


@pytest.mark.parametrize("fields", [("40071", "", ""), ("", "", "40071")])
def test_an_old_sender_without_pid_3_is_read_from_pid_2_or_pid_4(fields: tuple[str, str, str]):
    assert named_by(*fields) == (Identifier("LAKESIDE", "40071"),)


def test_an_account_or_a_visit_names_nobody_beside_a_patient_number():
    assert named_by("", "40071^^^LAKESIDE^MR~881^^^LAKESIDE^AN~V-1^^^LAKESIDE^VN", "") == (
        Identifier("LAKESIDE", "40071"),
    )
    assert named_by("", "881^^^LAKESIDE^AN", "") == (Identifier("LAKESIDE", "881", "AN"),)


@pytest.mark.parametrize(
    "placeholder",
    [
        "999-99-9999^^^USSSA^SS",
        "000-12-3456^^^USSSA^SS",
        "123-45-6789^^^USSSA^SS",
        "123-45-0000^^^USSSA^SS",
        "0000000^^^LAKESIDE^MR",
        "Unknown^^^LAKESIDE^MR",
        "N/A^^^USSSA^SS",
        "-",
        '""',
    ],
)
def test_a_placeholder_is_nobodys_number(placeholder: str):
    assert named_by("", f"{placeholder}~40071^^^LAKESIDE^MR", "") == (Identifier("LAKESIDE", "40071"),)
    refusal = refusal_of(text(msh("ADT^A08"), f"PID|1||{placeholder}||Okafor^Ngozi"))
    assert str(refusal.place) == "PID-3"


def test_that_a_placeholder_was_left_out_stands_with_the_message():
    update = translated(text(msh("ADT^A08"), "PID|1||999999999^^^USSSA^SS~1^^^L"))
    assert update.original.warnings == ("An identifier that is nobody's, a placeholder, was left out.",)


def test_of_several_names_the_legal_one_counts():
    pid = "PID|1||40071^^^LAKESIDE||~Ada^N^^^^^A~van der Berg&van der&Berg^Ngozi^^^^^L"
    told = translated(text(msh("ADT^A08"), pid)).person.demographics
    assert (told.family, told.given) == ("van der Berg", ("Ngozi",))


def test_what_is_given_up_in_a_merge_is_read_by_the_same_rules():
    merge = translated(
        text(msh("ADT^A40"), "PID|1||1^^^LAKE^MR", "MRG|2^^^LAKE^MR~88^^^LAKE^AN~000^^^LAKE^MR")
    )
    assert isinstance(merge, Merge)
    assert merge.prior == (Identifier("LAKE", "2"),)
