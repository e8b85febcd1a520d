"""OperationOutcome: what every error is answered with. Its text names elements and rules, never a value."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

Severity = Literal["fatal", "error", "warning", "information"]
IssueType = Literal[
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
]
"""http://hl7.org/fhir/R4/valueset-issue-type.html"""


class Issue(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong. `expression` holds FHIRPaths, for a parameter `http.<name>`."""

    severity: Severity
    code: IssueType
    diagnostics: str
    expression: tuple[str, ...] = ()


class OperationOutcome(Struct, frozen=True, rename="camel", tag_field="resourceType", tag="OperationOutcome"):
    """http://hl7.org/fhir/R4/operationoutcome.html"""

    issue: Sequence[Issue]


class FhirError(Exception):
    """The request is refused: `status` is HTTP's, and the issues say why."""

    def __init__(self, status: int, issues: Sequence[Issue], headers: dict[str, str] | None = None) -> None:
        super().__init__(issues[0].diagnostics)
        self.status = status
        self.issues = issues
        self.headers = headers or {}


def refused(status: int, code: IssueType, diagnostics: str, *expression: str) -> FhirError:
    """Return an error of one issue."""
    return FhirError(status, [Issue("error", code, diagnostics, expression)])


def warning(diagnostics: str, *expression: str) -> Issue:
    """Return a warning that goes with an answer."""
    return Issue("warning", "informational", diagnostics, expression)


def outcome(issues: Sequence[Issue]) -> bytes:
    """Return the resource as JSON."""
    return msgspec.json.encode(OperationOutcome(issues))
