"""Every measurement, in the order in which they run; to add one is to add its module here."""

from typing import Final

from tests.bench.figure import Measurement
from tests.bench.figures import latency, pipeline

ALL: Final[tuple[Measurement, ...]] = (pipeline.MEASUREMENT, latency.MEASUREMENT)
