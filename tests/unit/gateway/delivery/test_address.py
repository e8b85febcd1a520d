import pytest

from services.gateway.delivery.address import AddressError, checked, is_public, resolved


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "fd00::1", "fe80::1%eth0", "0.0.0.0",  # noqa: S104 -- nothing is bound
     "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "100.64.0.1",
     "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "3fff::1", "5f00::1",
     "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "100.100.100.200"],
)  # fmt: skip
def test_an_address_that_is_not_of_the_public_network_is_known(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"])
def test_an_address_of_the_public_network_is_known(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "endpoint", ["ftp://127.0.0.1/", "http://a:b@127.0.0.1/", "http://", "http://[1/", "file:///etc/passwd"]
)
async def test_what_is_no_plain_http_address_is_refused(endpoint: str):
    with pytest.raises(AddressError):
        await resolved(endpoint, private=True)


@pytest.mark.parametrize(
    "endpoint",
    [
        f"https://{'a' * 64}.example/",
        "https://.example/",
        "https://told.example/\x7f",
        "https://told.example/\tx",
        f"https://told.example/{'x' * 2_048}",
    ],
)
def test_what_could_never_be_called_is_refused_when_it_is_told(endpoint: str):
    with pytest.raises(AddressError):
        checked(endpoint, private=True)


def test_a_name_in_other_letters_is_called_by_its_name_in_dns():
    assert checked("https://b\u00fccher.example/x", private=False).host == "xn--bcher-kva.example"


async def test_a_private_address_is_refused_unless_it_is_allowed():
    with pytest.raises(AddressError):
        await resolved("http://127.0.0.1:8080/a?b=c", private=False)
    found = await resolved("http://127.0.0.1:8080/a?b=c", private=True)
    assert (found.url, found.authority) == ("http://127.0.0.1:8080/a?b=c", "127.0.0.1:8080")


@pytest.mark.parametrize(
    "endpoint",
    ["http://told.example/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest"],
)
def test_without_a_word_of_the_profile_an_endpoint_is_https_and_at_no_private_address(endpoint: str):
    with pytest.raises(AddressError):
        checked(endpoint, private=False)
    assert checked(endpoint, private=True)


async def test_a_name_is_looked_up_again_at_each_call_so_that_it_cannot_move_to_a_private_address():
    assert checked("https://localhost/", private=False).host == "localhost"
    with pytest.raises(AddressError, match="private address"):
        await resolved("https://localhost/", private=False)
