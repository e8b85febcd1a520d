"""What pip was told about indexes, certificates and proxies, in uv's words, for uv reads no pip.conf."""

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

# pip's setting -> uv's variable. Where pip takes several values, so does uv, with spaces between.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}

# The order in which pip lets one source override another: the environment last.
SECTIONS = ("global", "install", ":env:")


def pip_settings() -> dict[str, str]:
    """Settings of pip as pip itself reads them, by setting name; empty where there is no pip."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    by_section: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, setting = name.rpartition(".")
        if section in by_section and value:
            by_section[section][setting] = str(ast.literal_eval(value))
    return {setting: value for section in SECTIONS for setting, value in by_section[section].items()}


def uv_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that make uv look where pip looks; what is set for uv already is left as it is."""
    settings = pip_settings()
    found = {
        variable: " ".join(settings[setting].split())
        for setting, variable in UV_VARIABLES.items()
        if setting in settings and variable not in environment
    }
    # pip takes a wheel from whichever index has it. Hashes make that safe.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", **found}


def pip_variables() -> dict[str, str]:
    """The environment for pip itself, less the settings that forbid an install beside the project."""
    return {
        **os.environ,
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
