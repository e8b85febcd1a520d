"""Every measurement, in the order in which they run; to add one is to add its module here."""

from typing import Final

from tests.bench.figure import Measurement
from tests.bench.figures import catch_up, cold_load, commands, fhir, latency, mllp, pipeline

ALL: Final[tuple[Measurement, ...]] = (
    pipeline.MEASUREMENT,
    latency.MEASUREMENT,
    commands.MEASUREMENT,
    catch_up.MEASUREMENT,
    cold_load.MEASUREMENT,
    mllp.MEASUREMENT,
    fhir.MEASUREMENT,
)
