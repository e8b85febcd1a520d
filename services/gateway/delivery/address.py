"""Where a subscription's endpoint is, and whether it may be called.

The same check holds when a Subscription is made and at each call, and what was looked up and checked is what
is connected to: a name that moves to a private address later is not followed there.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address stands in its end
_IPV4_BITS: Final = 0xFFFF_FFFF
_LONGEST: Final = 2_048  # characters of an endpoint
_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # RFC 6890, 2.1; a cloud's metadata are at one of them
            "168.63.129.16/32",  # a cloud's own agent, which answers its machines only
            "::/96",  # RFC 4291, 2.5.5.1: IPv4 within, given up
            "::ffff:0:0:0/96",  # RFC 2765, 2.1: IPv4 within
            "64:ff9b:1::/48",  # RFC 8215: IPv4 within, of a network's own
            "3fff::/20",  # RFC 9637: for documents
            "5f00::/16",  # RFC 9602: within one domain of routers
            "fec0::/10",  # RFC 3879: of a site
        ),
    )
)
"""What `ipaddress` takes for public, or does so in some releases of Python."""


class AddressError(Exception):
    """The endpoint is none that may be called; the text says why."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """An endpoint as it was told, its form checked."""

    scheme: str
    host: str
    port: int
    target: str  # path and query


class Address(Struct, frozen=True, kw_only=True):
    """An endpoint, and the address of its host."""

    endpoint: Endpoint
    ip: str

    @property
    def url(self) -> str:
        """The endpoint with the address in place of the name."""
        told = self.endpoint
        return f"{told.scheme}://{_bracketed(self.ip)}:{told.port}{told.target}"

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        told = self.endpoint
        host = _bracketed(told.host)
        return host if told.port == _PORTS[told.scheme] else f"{host}:{told.port}"


def checked(endpoint: str, *, private: bool) -> Endpoint:
    """Check an endpoint without looking it up; raises AddressError where it may not be called.

    With `private` it may be called without TLS, and at an address that is not public.
    """
    if len(endpoint) > _LONGEST or not endpoint.isprintable():
        raise AddressError(f"The endpoint has more than {_LONGEST} characters, or one that is not printable.")
    try:
        told = urlsplit(endpoint)
        host, port = _ascii(told.hostname), told.port or _PORTS.get(told.scheme)
    except ValueError:
        raise AddressError("The endpoint is no address.") from None
    if told.scheme not in _PORTS or not host or not port:
        raise AddressError("The endpoint is neither http nor https.")
    if told.username is not None or told.password is not None:
        raise AddressError("The endpoint holds a user or a password.")
    if not private and _is_address(host):
        _expect_public([host])
    if not private and told.scheme != "https":
        raise AddressError("The endpoint has to be https, unless the sender's profile allows private ones.")
    target = (told.path or "/") + (f"?{told.query}" if told.query else "")
    return Endpoint(scheme=told.scheme, host=host, port=port, target=target)


async def resolved(endpoint: str, *, private: bool) -> Address:
    """Check an endpoint and look it up; raises AddressError, and OSError where it is not found.

    Every address of the name has to be public, unless `private` allows others.
    """
    told = checked(endpoint, private=private)
    found = await asyncio.get_running_loop().getaddrinfo(told.host, told.port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not addresses:
        raise OSError("The host has no address.")
    if not private:
        _expect_public(addresses)
    return Address(endpoint=told, ip=addresses[0])


def _expect_public(addresses: Sequence[str]) -> None:
    if not all(is_public(each) for each in addresses):
        raise AddressError("The endpoint is at a private address, which the sender's profile does not allow.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _ascii(host: str | None) -> str:
    """Return a name as DNS and the header Host have it; raises ValueError where it is none."""
    return (host or "").encode("idna").decode()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_public(address: str) -> bool:
    """Tell whether an address is of the public network, also where another hides in it."""
    ip = ip_address(address.partition("%")[0])
    if any(ip in each for each in _NOT_PUBLIC):
        return False
    within = _within(ip)
    return ip.is_global and not ip.is_multicast and (within is None or is_public(str(within)))


def _within(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip in _TRANSLATED:
        return IPv4Address(int(ip) & _IPV4_BITS)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
