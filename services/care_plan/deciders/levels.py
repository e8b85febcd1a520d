"""ASAM levels of care, in the order of their intensity; each edition of The ASAM Criteria has its own."""

from collections.abc import Mapping

from shared.commands.decision import Refused, refused

# Third edition, with withdrawal management (WM) beside the treatment level of its intensity; fourth edition.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "3": (
        "0.5",
        "1",
        "1-WM",
        "2.1",
        "2.5",
        "2-WM",
        "3.1",
        "3.2-WM",
        "3.3",
        "3.5",
        "3.7",
        "3.7-WM",
        "4",
        "4-WM",
    ),
    "4": ("1.0", "1.5", "1.7", "2.1", "2.5", "2.7", "3.1", "3.5", "3.7", "4"),
}

PROGRAM = "2.1"  # intensive outpatient, in both editions
INPATIENT = "4"  # medically managed inpatient, in both editions


def problem(level: str, edition: str, field: str) -> Refused | None:
    """Refuse an edition that is unknown, or a level that it does not have; `field` names the level's."""
    if edition not in LEVELS:
        return refused("unknown-edition", f"The ASAM edition must be 3 or 4, not {edition}.", "edition")
    if level not in LEVELS[edition]:
        return refused("unknown-level", f"{level} is no level of care of ASAM edition {edition}.", field)
    return None


def above(level: str, other: str, edition: str) -> bool:
    """Tell whether `level` is more intensive than `other`; both must be levels of the edition."""
    order = LEVELS[edition]
    return order.index(level) > order.index(other)
