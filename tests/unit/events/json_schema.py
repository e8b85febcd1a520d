"""What a JSON Schema has against a value, each as a sentence."""

from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker


def problems(schema: dict[str, Any], value: dict[str, Any]) -> list[str]:
    """Return why the value does not meet the schema; formats such as dates and ids count."""
    validator = cast("Any", Draft202012Validator(schema, format_checker=FormatChecker()))
    return [error.message for error in validator.iter_errors(value)]
