"""What a hospital wrote is shown, and steers no terminal."""

import msgspec
import pytest
from rich.text import Text

from services.console.output import PlainConsole, print_json, table_of

# Sets the clipboard, clears the screen (also as C1), and writes what follows backwards.
STEERING = ("\x1b]52;c;ZXZpbA==\x07", "\x1b[2J", "\x9b2J", "\u202e", "\x7f")
NAME = f"Example{''.join(STEERING)}Jane"


@pytest.mark.parametrize("shown", [NAME, Text(NAME), table_of(("WHOM",), [(NAME,), (Text(NAME, "bold"),)])])
def test_a_control_character_in_a_name_is_shown_as_a_box(shown: object):
    terminal = PlainConsole(force_terminal=True, color_system=None, width=100)
    with terminal.capture() as told:
        terminal.print(shown, markup=False)
    plain = told.get()
    assert "Example\N{WHITE VERTICAL RECTANGLE}]52;c;ZXZpbA==" in plain
    assert not any(
        character in plain for each in STEERING for character in each if not character.isprintable()
    )


def test_json_for_programs_says_the_same_without_a_control_character(capsys: pytest.CaptureFixture[str]):
    print_json({"family": NAME})
    told = capsys.readouterr().out
    assert msgspec.json.decode(told) == {"family": NAME}
    assert all(character.isprintable() or character == "\n" for character in told)
