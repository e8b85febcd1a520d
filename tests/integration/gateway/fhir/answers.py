"""What schemathesis checks of each answer beside its own checks: errors of FHIR say what is wrong, and where.

Loaded by schemathesis (schemathesis.toml names it), not imported.
"""

from typing import Any

import schemathesis

Case = schemathesis.Case[Any]
REFUSED, FAULT = 400, 500


@schemathesis.serializer("application/x-ndjson", "application/hl7-v2")
def lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """Write a batch as it is made up."""
    return str(value).encode(errors="replace")


@schemathesis.check
def every_error_says_where(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """An error is an OperationOutcome whose issues each have a sentence and an expression."""
    if response.status_code < REFUSED or response.request.method == "HEAD":
        return
    for issue in _outcome(response.json())["issue"]:
        assert issue["severity"] in {"fatal", "error"}
        assert issue["diagnostics"].strip()
        assert response.status_code >= FAULT or issue["expression"], issue


@schemathesis.check
def what_the_schema_allows_is_not_refused_for_its_form(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: Case
) -> None:
    """A body that is as the document says may not be taken, but its elements are of the right types."""
    if case.meta is None or case.meta.generation.mode.is_negative or response.status_code != REFUSED:
        return
    assert {issue["code"] for issue in _outcome(response.json())["issue"]} != {"structure"}


@schemathesis.check
def the_examples_are_taken(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Who sends what the document shows is not refused."""
    if case.meta is not None and case.meta.phase.name.value == "examples" and case.method == "POST":
        assert response.status_code < REFUSED


def _outcome(told: dict[str, Any]) -> dict[str, Any]:
    """The OperationOutcome, which may stand in the message that answers a message."""
    if told["resourceType"] == "Bundle":
        (told,) = (
            e["resource"] for e in told["entry"] if e["resource"]["resourceType"] == "OperationOutcome"
        )
    assert told["resourceType"] == "OperationOutcome"
    return told
