"""Where a subscription's endpoint is, looked up once: what was checked is what is connected to."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address stands in its end
_IPV4_BITS: Final = 0xFFFF_FFFF


class AddressError(Exception):
    """The endpoint is none that may be called; the text says why."""


class Address(Struct, frozen=True, kw_only=True):
    """An endpoint, and the address of its host."""

    scheme: str
    host: str
    ip: str
    port: int
    target: str  # path and query

    @property
    def url(self) -> str:
        """The endpoint with the address in place of the name."""
        ip = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{self.scheme}://{ip}:{self.port}{self.target}"

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


async def resolved(endpoint: str, *, private: bool) -> Address:
    """Look an endpoint up; raises AddressError where it may not be called, OSError where it is not found.

    Every address of the name has to be public, unless `private` allows others.
    """
    try:
        told = urlsplit(endpoint)
        host, port = told.hostname, told.port or _PORTS.get(told.scheme)
    except ValueError:
        raise AddressError("The endpoint is no address.") from None
    if told.scheme not in _PORTS or not host or not port:
        raise AddressError("The endpoint is neither http nor https.")
    if told.username is not None or told.password is not None:
        raise AddressError("The endpoint holds a user or a password.")
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not addresses:
        raise OSError("The host has no address.")
    if not private and not all(is_public(each) for each in addresses):
        raise AddressError("The endpoint is at a private address, which the sender's profile does not allow.")
    target = (told.path or "/") + (f"?{told.query}" if told.query else "")
    return Address(scheme=told.scheme, host=host, ip=addresses[0], port=port, target=target)


def is_public(address: str) -> bool:
    """Tell whether an address is of the public network, also where another hides in it."""
    ip = ip_address(address.partition("%")[0])
    within = _within(ip)
    return ip.is_global and not ip.is_multicast and (within is None or is_public(str(within)))


def _within(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(ip, IPv4Address):
        return None
    if ip in _TRANSLATED:
        return IPv4Address(int(ip) & _IPV4_BITS)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
