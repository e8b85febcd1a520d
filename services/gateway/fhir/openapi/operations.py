"""One operation of the document for each route: by its method and the form of its path."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.gateway.fhir.media import FHIR_JSON, FORM, JSON
from services.gateway.fhir.openapi import examples
from services.gateway.fhir.openapi.parameters import form, format_, header, id_, searched
from services.gateway.fhir.openapi.schemas import Schema, answer_of, body_of, bundle_of, ref
from services.gateway.fhir.write import CONDITIONAL_CREATE

Told = Mapping[str, Any]

_KIND: Final = re.compile(r"/fhir/([A-Z]\w*)")
_OUTCOME: Final = ref("OperationOutcome")
_SAYS: Final[Mapping[int, str]] = {
    200: "As asked",
    201: "Stored; its resource is at Location",
    202: "Stored; nothing has an address",
    204: "Gone",
    304: "The caller has this version",
    400: "What was sent is not readable; expression says where",
    401: "A bearer token is missing, or nobody's",
    403: "Not for this source",
    404: "Not here, or not for this source",
    406: "Answers are JSON of FHIR 4.0",
    412: "The condition does not hold, or is none that is understood",
    413: "Longer than is taken",
    415: "The body is not of a media type that is taken",
    422: "Readable, and not something that is taken; expression says what",
    500: "A fault of the receiver",
    503: "Nothing was stored or read: again later, as Retry-After says",
}
_ALWAYS: Final = (406, 500)
_KNOWN: Final = (401, 503)
_SENT: Final = (400, 413, 415, 422)


def operation(method: str, path: str) -> Told:
    """Return the operation of a route; raises LookupError where there is none: a route is described here."""
    found = _KIND.match(path)
    kind = found[1] if found else ""
    form_ = path.replace(f"/fhir/{kind}", "/fhir/{kind}") if kind else path
    return _OPERATIONS[method, form_](kind)


def _metadata(_: str) -> Told:
    return {
        **_operation("What is served", {200: _json(_sent("CapabilityStatement"), _SAYS[200])}),
        "security": [],
    }


def _document(_: str) -> Told:
    told = {"description": _SAYS[200], "content": {"application/json": {"schema": {"type": "object"}}}}
    return {**_operation("This document", {200: told}), "security": []}


def _read(kind: str) -> Told:
    answers = {200: _resource(kind), 304: _empty(304), **_errors(*_KNOWN, 404)}
    given = [id_(), header("If-None-Match"), format_()]
    return _operation(f"Read a {kind}", answers, given)


def _search(kind: str) -> Told:
    answers = {200: _json(bundle_of("searchset"), _SAYS[200]), **_errors(*_KNOWN, 400)}
    return _operation(f"Search among {kind}", answers, [*searched(kind), header("Prefer")])


def _search_by_post(kind: str) -> Told:
    answers = {200: _json(bundle_of("searchset"), _SAYS[200]), **_errors(*_KNOWN, 400, 413, 415)}
    told = _operation(f"Search among {kind}, with nothing in the address", answers, [header("Prefer")])
    return {**told, "requestBody": {"content": {FORM: {"schema": form(kind)}}}}


def _create(kind: str) -> Told:
    condition = (header("If-None-Exist"),) if kind in CONDITIONAL_CREATE else ()
    shown = {"anyOf": [_sent(kind), _OUTCOME]}
    taken = {200: _json(shown, "It was there"), 201: _json(shown, _SAYS[201]), 202: _json(shown, _SAYS[202])}
    answers = {**taken, **_errors(*_KNOWN, *_SENT, 412)}
    told = _operation(f"Send a {kind}", answers, [header("Prefer"), *condition, format_()])
    return {**told, "requestBody": _body(body_of(kind), examples.OF_KIND.get(kind))}


def _update(kind: str) -> Told:
    shown = {"anyOf": [_sent(kind), _OUTCOME]}
    answers = {200: _json(shown, _SAYS[200]), **_errors(*_KNOWN, *_SENT, 404, 412)}
    told = _operation(f"Change a {kind}", answers, [id_(), header("Prefer"), header("If-Match"), format_()])
    return {**told, "requestBody": _body(body_of(kind))}


def _patch(kind: str) -> Told:
    shown = {"anyOf": [_sent(kind), _OUTCOME]}
    answers = {200: _json(shown, _SAYS[200]), **_errors(*_KNOWN, *_SENT, 404, 412)}
    told = _operation(f"Change a {kind} in part", answers, [id_(), header("Prefer"), header("If-Match")])
    merge, steps = {"schema": ref(f"{kind}Change")}, {"schema": {"type": "array", "items": ref("Step")}}
    media = {
        "application/merge-patch+json": merge,
        JSON: merge,
        "application/json-patch+json": steps,
    }
    return {**told, "requestBody": {"required": True, "content": media}}


def _delete(kind: str) -> Told:
    answers = {204: _empty(204), **_errors(*_KNOWN, 404)}
    return _operation(f"End a {kind}", answers, [id_()])


def _bundle(_: str) -> Told:
    taken = _json(bundle_of("transaction-response", "batch-response", "message"), _SAYS[200])
    return _of_bundle("Send a transaction, a batch or a message", taken, examples.TRANSACTION)


def _process(_: str) -> Told:
    taken = _json(bundle_of("message"), _SAYS[200])
    return _of_bundle("Send a message", taken, examples.MESSAGE)


def _of_bundle(summary: str, taken: Told, example: Schema) -> Told:
    """A message that is refused is answered with a message, too, as soon as it has a header."""
    refused = {"anyOf": [_OUTCOME, bundle_of("message")]}
    errors = {status: _json(refused, _SAYS[status]) for status in (*_KNOWN, *_SENT, 412)}
    told = _operation(summary, {200: taken, **errors}, [header("Prefer"), format_()])
    return {**told, "requestBody": _body(body_of("Bundle"), example)}


def _upload(_: str) -> Told:
    content = {_NDJSON: {"schema": {"type": "string"}}}
    lines: Told = {"description": "A line for each message, and a summary", "content": content}
    told = _operation(
        "Send many messages",
        {200: lines, **_errors(*_KNOWN, 400, 413, 415, 422)},
        [header("Idempotency-Key")],
    )
    return {**told, "requestBody": {"content": {_NDJSON: {}, "application/hl7-v2": {}}}}


_NDJSON: Final = "application/x-ndjson"
_OPERATIONS: Final = {
    ("GET", "/fhir/metadata"): _metadata,
    ("GET", "/fhir/openapi.json"): _document,
    ("GET", "/fhir/{kind}/{id}"): _read,
    ("GET", "/fhir/{kind}"): _search,
    ("POST", "/fhir/{kind}/_search"): _search_by_post,
    ("POST", "/fhir/{kind}"): _create,
    ("PUT", "/fhir/{kind}/{id}"): _update,
    ("PATCH", "/fhir/{kind}/{id}"): _patch,
    ("DELETE", "/fhir/{kind}/{id}"): _delete,
    ("POST", "/fhir"): _bundle,
    ("POST", "/fhir/$process-message"): _process,
    ("POST", "/batch"): _upload,
}


def _operation(summary: str, answers: Mapping[int, Told], given: Sequence[Told] = ()) -> dict[str, Any]:
    told = {str(status): said for status, said in sorted({**answers, **_errors(*_ALWAYS)}.items())}
    return {"summary": summary, "parameters": list(given), "responses": told}


def _errors(*statuses: int) -> Mapping[int, Told]:
    return {status: _json(_OUTCOME, _SAYS[status]) for status in statuses}


def _sent(kind: str) -> Schema:
    """What was stored is shown as it came, under the id that it has here."""
    told = answer_of(kind)
    return {**told, "required": ["resourceType"]}


def _resource(kind: str) -> Told:
    return _json(answer_of(kind), _SAYS[200])


def _json(schema: Schema, says: str) -> Told:
    return {"description": says, "content": {FHIR_JSON: {"schema": schema}, JSON: {"schema": schema}}}


def _empty(status: int) -> Told:
    return {"description": _SAYS[status]}


def _body(schema: Schema, example: Schema | None = None) -> Told:
    media = {"schema": schema, **({"example": example} if example else {})}
    return {"required": True, "content": {FHIR_JSON: media, JSON: {"schema": schema}}}
