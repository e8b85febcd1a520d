"""The YAML of a file of profiles, with the line of everything in it, so that an error can name it."""

from collections.abc import Iterator

import yaml

from shared.settings import SettingsError


class ProfilesError(SettingsError):
    """The file is no set of profiles; the text names the line, the key and what is expected there."""


def root(text: str) -> yaml.Node:
    """Return the document; raises ProfilesError."""
    try:
        found = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfilesError(f"Line {line}: this is no YAML: {error.problem}.") from None
    except yaml.YAMLError:
        raise ProfilesError("The profiles hold characters that YAML does not allow.") from None
    if found is None:
        raise ProfilesError("Line 1: the file of profiles is empty.")
    return found


def entries(node: yaml.Node, what: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Give a mapping's keys with their values; raises ProfilesError for anything else and for a key twice."""
    if not isinstance(node, yaml.MappingNode):
        raise at(node, f"{what}: keys with values are expected.")
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise at(key, f"{what}: a key is a word.")
        if key.value in seen:
            raise at(key, f"{what}: {key.value} is there twice.")
        seen.add(key.value)
        yield key, value


def at(node: yaml.Node, sentence: str) -> ProfilesError:
    """Return an error about a node, with its line."""
    return ProfilesError(f"Line {node.start_mark.line + 1}: {sentence}")


def value_of(body: yaml.Node, what: str) -> object:
    """Return what a node holds; raises ProfilesError for a tag, or a date of no calendar."""
    text: str = yaml.serialize(body)  # pyright: ignore[reportUnknownMemberType] -- its stub leaves nodes untyped
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise at(body, f"{what}: a value is not plain YAML: {error.problem}.") from None
    except ValueError as error:
        raise at(body, f"{what}: a value cannot be read: {error}.") from None
