"""What registration desks type where a number has to stand and none is known.

The exact identifier wins: two people with the same placeholder would become one.
"""

import re
from typing import Final

_WORDS: Final = frozenset({"NONE", "UNKNOWN", "UNK", "NA", "NULL", "PENDING"})
_ZEROS: Final = re.compile(r"0+")
_SOCIAL_SECURITY: Final = "SS"
# Never given (SSA, POMS RM 10201.035): area 000, group 00, serial 0000; the others are what people type.
_NO_SSN: Final = re.compile(r"000\d{6}|\d{3}00\d{4}|\d{5}0000|(\d)\1{8}|123456789", re.ASCII)


def is_placeholder(value: str, kind: str) -> bool:
    """Tell whether an identifier is nobody's; `kind` is of HL7 table 0203, such as MR or SS."""
    bare = re.sub(r"[\s./_-]", "", value).upper()
    if not bare or bare in _WORDS or _ZEROS.fullmatch(bare):
        return True
    return kind == _SOCIAL_SECURITY and _NO_SSN.fullmatch(bare) is not None
