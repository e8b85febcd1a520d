"""Who asks, by which token, with which assigners."""

import pytest

from services.gateway.fhir.auth import Authorities, ToldTokens, WithAgreements, authenticated
from services.gateway.fhir.outcome import FhirError

TOLD = ToldTokens("ehr-general=one ehr-other=two=2")


def test_a_source_may_have_several_tokens_and_its_agreed_assigners():
    authority = WithAgreements(
        Authorities(TOLD, ToldTokens("ehr-general=three")), lambda source: frozenset({f"{source}-numbers"})
    )
    for token, source in (("one", "ehr-general"), ("three", "ehr-general"), ("two=2", "ehr-other")):
        caller = authenticated(f"Bearer {token}", authority)
        assert (caller.source, caller.assigners) == (source, {f"{source}-numbers"})


@pytest.mark.parametrize("told", [None, "", "one", "Basic one", "Bearer", "Bearer ", "Bearer two"])
def test_without_a_known_token_nobody_asks(told: str | None):
    with pytest.raises(FhirError) as refused:
        authenticated(told, TOLD)
    assert refused.value.status == 401


@pytest.mark.parametrize("told", ["token", "=token", "source="])
def test_tokens_are_told_with_their_source(told: str):
    with pytest.raises(ValueError, match="source=token"):
        ToldTokens(told)
