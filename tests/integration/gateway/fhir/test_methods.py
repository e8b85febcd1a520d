"""Methods of every address: HEAD beside GET, OPTIONS, what is not taken, and versions that are not kept."""

from collections.abc import AsyncGenerator

import pytest

from services.gateway.fhir.served import SERVED
from tests.integration.gateway.fhir.reading import Edge, edge, project
from tests.integration.gateway.fhir.record import ROBIN, kim, robin


@pytest.fixture
async def served(nats_url: str, database: str) -> AsyncGenerator[Edge]:
    await project(database, robin(), kim())
    async with edge(nats_url, database) as one:
        yield one


async def test_head_tells_of_every_type_what_get_tells_but_for_the_body(served: Edge):
    async with served.client() as client:
        for kind in SERVED:
            (first, *_) = (await client.get(f"/{kind}?_count=1")).json()["entry"]
            for path in (f"/{kind}", f"/{kind}/{first['resource']['id']}"):
                whole, head = await client.get(path), await client.head(path)
                assert (head.status_code, head.content) == (200, b"")
                for name in ("content-type", "content-length", "etag", "last-modified"):
                    assert head.headers.get(name) == whole.headers.get(name), (path, name)
            known = {"If-None-Match": whole.headers["etag"]}
            assert (await client.get(path, headers=known)).status_code == 304
            assert (await client.head(path, headers=known)).status_code == 304
        assert (await client.head("/Patient/nobody")).status_code == 404


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/metadata", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/Goal", "GET, HEAD, OPTIONS"),
        ("/Goal/1", "GET, HEAD, OPTIONS"),
        ("/Goal/_search", "POST, OPTIONS"),
        ("/Task", "GET, HEAD, POST, OPTIONS"),
        ("/Task/1", "GET, HEAD, PUT, PATCH, OPTIONS"),
        ("/Subscription/1", "GET, HEAD, DELETE, OPTIONS"),
        ("/$process-message", "POST, OPTIONS"),
    ],
)
async def test_an_address_says_which_methods_it_takes(served: Edge, path: str, methods: str):
    async with served.client() as client:
        told = await client.options(path)
        assert (told.status_code, told.headers["allow"]) == (204, methods)
        refused = await client.request("TRACE", path)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
        assert refused.json()["issue"][0]["expression"] == ["http.method"]


async def test_who_asks_for_an_earlier_version_is_told_that_none_is_kept(served: Edge):
    for path in (f"/Patient/{ROBIN}/_history/1", f"/Patient/{ROBIN}/_history", "/_history"):
        answer = await served.get(path)
        (issue,) = answer.json()["issue"]
        assert (answer.status_code, issue["code"]) == (404, "not-supported"), path
        assert "Earlier versions are not kept" in issue["diagnostics"]
