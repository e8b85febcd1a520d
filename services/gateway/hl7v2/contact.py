"""Names, telephone numbers and addresses (XPN, XTN, XAD) as one line of text each."""

from collections.abc import Iterable

from services.gateway.hl7v2.message import Composite

_INTERNET = {"INTERNET", "NET", "X.400"}
_VOICE = {"", "PH", "CP", "SAT"}


def given_names(name: Composite) -> tuple[str, ...]:
    """First and further given names (XPN.2, XPN.3)."""
    return tuple(f"{name.text(2)} {name.text(3)}".split())


def full_name(name: Composite) -> str | None:
    """Given and family name, as said (XPN.2, XPN.1)."""
    return " ".join((*given_names(name), name.text(1))).strip() or None


def phone(numbers: Iterable[Composite]) -> str | None:
    """Return the first number that a person can call."""
    return next(filter(None, (_number(number) for number in numbers)), None)


def email(addresses: Iterable[Composite]) -> str | None:
    """Return the first e-mail address (XTN.4)."""
    return next(filter(None, (_email(address) for address in addresses)), None)


def address(value: Composite) -> str | None:
    """Street, city, state and postal code, country (XAD.1 to XAD.6)."""
    if not value:
        return None
    street = value.component(1)
    lines = (
        " ".join(filter(None, (street.text(1), *_street_name(street)))),
        value.text(2),
        value.text(3),
        " ".join(filter(None, (value.text(4), value.text(5)))),
        value.text(6),
    )
    return ", ".join(line.strip() for line in lines if line.strip()) or None


def _street_name(street: Composite) -> tuple[str, ...]:
    """SAD: XAD.1's sub-components are the line, the street's name and the number of the house."""
    return () if street.text(2) in street.text(1) else (street.text(2),)


def _number(number: Composite) -> str:
    """XTN.1, which most senders fill; else XTN.12, its successor; else country, area and local number."""
    if number.text(3).upper() not in _VOICE:
        return ""
    parts = (number.text(part) for part in (5, 6, 7))
    return number.text(1) or number.text(12) or " ".join(filter(None, parts))


def _email(value: Composite) -> str:
    if value.text(3).upper() in _INTERNET or value.text(2).upper() == "NET":
        return next((text for text in (value.text(4), value.text(1)) if "@" in text), "")
    return ""
