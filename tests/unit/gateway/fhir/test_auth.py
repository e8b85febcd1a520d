"""Who asks, by which token, with which assigners."""

from zoneinfo import ZoneInfo

import pytest

from services.gateway.fhir.auth import (
    AgreedTokens,
    Authorities,
    ToldTokens,
    WithAgreements,
    authenticated,
    hash_of,
)
from services.gateway.fhir.outcome import FhirError
from services.gateway.profile_file import read

TOLD = ToldTokens("ehr-general=one ehr-other=two=2")


def test_a_source_may_have_several_tokens_and_its_agreed_assigners():
    authority = WithAgreements(
        Authorities(TOLD, ToldTokens("ehr-general=three")), lambda source: frozenset({f"{source}-numbers"})
    )
    for token, source in (("one", "ehr-general"), ("three", "ehr-general"), ("two=2", "ehr-other")):
        caller = authenticated(f"Bearer {token}", authority)
        assert (caller.source, caller.assigners) == (source, {f"{source}-numbers"})


def test_tokens_of_profiles_are_known_by_their_hashes_and_as_the_profiles_are_now():
    old, new = (
        f"portal:\n    source: portal\n    tokens: [SHA256:{hash_of(told)}]" for told in ("old", "new")
    )
    both = old.replace("]", f", sha256:{hash_of('new').upper()}]")
    agreed: list[str] = []
    tokens = AgreedTokens(lambda: read(f"profiles:\n  {agreed[-1]}\n", ZoneInfo("UTC")))
    for text, known in ((old, [True, False]), (both, [True, True]), (new, [False, True])):
        agreed.append(text)
        found = [tokens.caller(token) for token in ("old", "new")]
        assert [caller is not None and caller.source == "portal" for caller in found] == known
    assert tokens.caller(hash_of("new")) is None


@pytest.mark.parametrize("told", [None, "", "one", "Basic one", "Bearer", "Bearer ", "Bearer two"])
def test_without_a_known_token_nobody_asks(told: str | None):
    with pytest.raises(FhirError) as refused:
        authenticated(told, TOLD)
    assert refused.value.status == 401


@pytest.mark.parametrize("told", ["token", "=token", "source="])
def test_tokens_are_told_with_their_source(told: str):
    with pytest.raises(ValueError, match="source=token"):
        ToldTokens(told)
