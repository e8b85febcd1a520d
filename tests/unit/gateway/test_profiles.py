import asyncio
import os
import signal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from services.gateway.hl7v2.location import location
from services.gateway.profile_book import ProfileBook
from services.gateway.profile_file import load, read
from services.gateway.profile_lines import ProfilesError
from services.gateway.profiles import Profiles, without_file
from services.gateway.watched_file import LOOK_SECONDS, watch

ZONE = ZoneInfo("America/New_York")
EXAMPLE = Path(__file__).resolve().parents[3] / "deploy" / "profiles.example.yaml"
ONE = "profiles:\n  lake:\n    sender: {facility: LAKESIDE}\n"
HASH = "0d" * 32
PORTAL = f"profiles:\n  portal:\n    source: portal\n    tokens: [SHA256:{HASH}]\n"


def told_at(host: str, number: int = 1) -> str:
    """One of two applications of one source, and where that is told of its referrals."""
    beginning = "profiles:\n" if number == 1 else ""
    return (
        f"{beginning}  lake{number}:\n    sender: {{application: A{number}, facility: LAKESIDE}}\n"
        f"    source: lake\n    delivery: [{{channel: mllp, host: {host}, port: 1}}]\n"
    )


def profiles(text: str) -> Profiles:
    return read(text, ZONE)


def test_the_example_is_read_as_it_says():
    found = load(EXAMPLE, ZONE)
    lakeside = found.of("LakeADT", "Lakeside")
    assert lakeside is not None
    assert (lakeside.name, lakeside.source, lakeside.production) == ("lakeside", "lakeside", True)
    assert lakeside.conventions.assigner == "LAKESIDE"
    assert lakeside.conventions.facility == "Lakeside Behavioral Hospital"
    assert lakeside.conventions.zone == ZoneInfo("America/Chicago")
    assert lakeside.conventions.charset == "8859/1"
    assert lakeside.conventions.fields == {
        location("PV1-19"): (location("PV1-50"), location("PV1-19")),
        location("PV1-45"): (location("EVN-2"),),
    }
    assert [lakeside.takes(*kind) for kind in (("ADT", "A01"), ("ORU", "R01"), ("SIU", "S12"))] == [
        True,
        True,
        False,
    ]
    assert {told.partition(":")[0] for told in lakeside.certificates} == {"DNS", "SHA256"}
    assert {found.holders[told] for told in lakeside.tokens} == {"lakeside"}
    portal = found.of_source("county-portal")
    assert portal is not None
    assert (portal.name, portal.sender) == ("portal", ("", ""))
    test = found.of("ANY", "LAKESIDE-TEST")
    assert test is not None
    assert not test.production
    assert found.of("ANY", "ELSEWHERE") is None


def test_a_profile_of_both_names_goes_before_one_of_either():
    found = profiles(
        "profiles:\n"
        "  application: {sender: {application: A}}\n"
        "  both: {sender: {application: A, facility: F}}\n"
        "  facility: {sender: {facility: F}}\n"
    )
    names = [
        profile.name if (profile := found.of(*sender)) else None
        for sender in (("A", "F"), ("X", "F"), ("A", "X"), ("X", "X"), (" a ", "f"))
    ]
    assert names == ["both", "facility", "application", None, "both"]


def test_a_default_profile_holds_for_everybody_else():
    found = profiles("default:\n  zone: America/Chicago\n  production: false\n" + ONE)
    stranger = found.of("X", "Y")
    assert stranger is not None
    assert stranger.conventions.zone == ZoneInfo("America/Chicago")
    assert profiles("default: refuse\n" + ONE).of("X", "Y") is None
    assert profiles(ONE).of("X", "Y") is None


def test_without_a_file_anybody_may_send_anything():
    profile = without_file(ZONE).of("", "")
    assert profile is not None
    assert profile.takes("ADT", "A01")
    assert not profile.production


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("", 1, "empty"),
        ("- a\n", 1, "keys with values"),
        ("profile: {}\n", 1, "profile is no key"),
        ("profiles: [", 1, "no YAML"),
        ("default: allow\n", 1, "refuse"),
        ("default:\n  sender: {facility: F}\n", 2, "sender has no place"),
        ("profiles:\n  lake:\n    zone: UTC\n", 3, "lake: sender needs"),
        ("profiles:\n  lake: 3\n", 2, "lake: keys with values"),
        (ONE + "    zone: Nowhere/Here\n", 4, "lake: zone: an IANA time zone"),
        (ONE + "    zone: ../../etc/passwd\n", 4, "lake: zone: an IANA time zone"),
        (ONE + "    charset: KLINGON\n", 4, "lake: charset"),
        (ONE + "    zonne: UTC\n", 4, "zonne"),
        (ONE + "    zone2: UTC\n", 4, "zone2"),
        ("profiles:\n  lake:\n", 2, "lake: keys with values"),
        (ONE + "    zone: !secret lake\n", 3, "lake: a value is not plain YAML"),
        (ONE + "    source: 2026-99-99\n", 3, "lake: a value cannot be read"),
        (ONE + "    assigner: 7\n", 4, "lake: assigner is not right. It is text (a number in quotes)"),
        (ONE + "    assigner: ' '\n", 4, "lake: assigner is not right"),
        (ONE + "    production: 1\n", 4, "production"),
        (ONE + "    source: Not a token\n", 4, "source"),
        (ONE + "    messages: [ADT, ACK]\n", 4, "ACK is no type"),
        (ONE + "    messages: [ADT^A99]\n", 4, "ADT^A99 is no type"),
        (ONE + "    messages: ADT\n", 4, "lake: messages is not right. It is all, or a list"),
        (ONE + "    delivery: mllp\n", 4, "lake: delivery is not right. It is none, or a list"),
        (ONE + "    delivery: [{channel: mllp, host: ris}]\n", 4, "missing required field `port`"),
        (ONE + "    delivery: [{channel: rest-hook, privat: true}]\n", 4, "unknown field `privat`"),
        (
            ONE + "    source: lake\n    delivery: [{channel: mllp, host: ris, port: 1, key: k}]\n",
            5,
            "key is of a",
        ),
        (told_at("ris") + told_at("his", 2), 7, "lake2: delivery: lake1 has the same source and another"),
        (ONE + "    fields:\n      PV1-19: PV1\n", 5, "'PV1' is no place"),
        (ONE + "    fields:\n      PV1-19.1: PV1-50\n", 5, "no whole field"),
        (ONE + "    fields:\n      MSH-10: PV1-50\n", 5, "no whole field"),
        (ONE + "    fields:\n      PV1-19: []\n", 5, "at least one place"),
        (ONE + "    zone: UTC\n    zone: UTC\n", 5, "zone is there twice"),
        (ONE + "  lake:\n    sender: {facility: OTHER}\n", 4, "lake is there twice"),
        (ONE + "  other:\n    sender: {facility: lakeside}\n", 5, "lake names the same sender"),
        (ONE + "    certificates: []\n", 4, "certificates"),
        (ONE + "    certificates: [CN=engine]\n", 4, "lake: certificates: SHA256:, DNS:"),
        (ONE + f"    certificates: [SHA256:{HASH}0]\n", 4, "64 hexadecimal digits"),
        (ONE + "    certificates: [IP:engine]\n", 4, "IPv4 or IPv6"),
        (ONE + "    source: lake\n    tokens: [a-plain-token]\n", 5, "lake: tokens: SHA256: and 64"),
        (ONE + f"    tokens: [SHA256:{HASH}]\n", 4, "lake: tokens: the profile's source is needed"),
        (f"default:\n  tokens: [SHA256:{HASH}]\n", 2, "tokens have no place here"),
        (PORTAL + PORTAL.partition("\n")[2].replace("portal:", "other:"), 6, "has the same source"),
        (PORTAL + PORTAL.partition("\n")[2].replace("portal", "other"), 6, "another source has one of them"),
    ],
)
def test_an_error_names_its_line_and_what_is_expected(text: str, line: int, named: str):
    with pytest.raises(ProfilesError) as error:
        profiles(text)
    assert str(error.value).startswith(f"Line {line}: ")
    assert named in str(error.value)


def test_two_applications_of_one_source_may_name_the_same_receiver():
    found = profiles(told_at("ris") + told_at("ris", 2))
    assert len({profile.mllp for profile in found.each}) == 1


def test_an_error_never_repeats_what_may_be_a_token():
    with pytest.raises(ProfilesError) as error:
        profiles(ONE + "    source: lake\n    tokens: [a-plain-token]\n")
    assert "a-plain-token" not in str(error.value)


def test_what_a_source_may_send_holds_for_every_way_in():
    found = profiles("default: refuse\n" + PORTAL + "    messages: [REF, ADT^A03]\n")
    may = [found.lets("portal", *kind) for kind in (("REF", "I12"), ("ADT", "A03"), ("ADT", "A01"))]
    assert may == [True, True, False]
    assert found.lets("a-source-without-a-profile", "ADT", "A01")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ProfilesError, match="cannot be read"):
        ProfileBook(tmp_path / "none.yaml", ZONE)


def write(path: Path, text: str) -> None:
    """Put a file in another's place, as an editor or a config map does."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


async def until(book: ProfileBook, name: str | None) -> None:
    while (found.name if (found := book.now.of("", "LAKESIDE")) else None) != name:  # noqa: ASYNC110 - a file is
        await asyncio.sleep(0.01)


async def test_a_changed_file_is_read_again_by_itself_and_at_sighup(tmp_path: Path):
    path = tmp_path / "profiles.yaml"
    write(path, ONE)
    book = ProfileBook(path, ZONE)
    watching = asyncio.create_task(watch(book))
    try:
        await until(book, "lake")
        write(path, ONE.replace("lake:", "lakeside:"))
        await until(book, "lakeside")
        write(path, ONE)
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(0.9 * LOOK_SECONDS):  # before the file would be looked at
            await until(book, "lake")
    finally:
        watching.cancel()
        await asyncio.wait([watching])


def test_a_broken_file_leaves_the_old_profiles_in_force_and_says_so(tmp_path: Path):
    path = tmp_path / "profiles.yaml"
    write(path, ONE)
    book = ProfileBook(path, ZONE)
    for broken, said in (
        ("    zone: Nowhere/Here\n", "Line 4: lake: zone"),
        ("    zone: !secret lake\n", "Line 3: lake"),
    ):
        write(path, ONE + broken)
        with capture_logs() as lines:
            book.reload()
        assert book.now.of("", "LAKESIDE") is not None
        problem = book.problem()
        assert problem is not None
        assert f"{path}: {said}" in problem
        assert [line["event"] for line in lines] == ["profiles-not-loaded"]
    write(path, ONE)
    book.reload()
    assert book.problem() is None
