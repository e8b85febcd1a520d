"""Python's collector of cycles, in processes that make many objects and hardly a cycle."""

import gc
from typing import Final

# Of container objects, net of those freed, before the collector looks; what has no cycle never waits for it.
_OBJECTS_BEFORE_COLLECTING: Final = 20_000


def collect_rarely() -> None:
    """Keep the collector of cycles off what was there from the start, and have it look less often.

    By default it looks at every 700 new objects, which took a fifth of the time of a FHIR referral, and of a
    rebuild.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
