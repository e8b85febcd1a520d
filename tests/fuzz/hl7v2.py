"""Feeds bytes to the MLLP framing, the HL7 v2 parser, the translations and the answers, as coverage guides.

    python -m tests.fuzz.hl7v2 -max_total_time=60 [a folder to keep what was interesting]

The options are libFuzzer's. Ends with an error, and the input in a file, where something raises, hangs or
answers what is no answer. Without atheris it says so and ends well.
"""

import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

try:
    atheris: Any = import_module("atheris")
except ImportError:
    sys.exit("atheris is not installed: the fuzzer was not run. `pip install atheris` has it for Linux.")

with atheris.instrument_imports(include=["services.gateway"]):
    from services.gateway.hl7v2.acknowledgement import accept, refuse
    from services.gateway.hl7v2.conventions import Conventions
    from services.gateway.hl7v2.error import Hl7Error
    from services.gateway.hl7v2.header import read_header
    from services.gateway.hl7v2.location import location
    from services.gateway.hl7v2.message import parse
    from services.gateway.hl7v2.translate import translate
    from services.gateway.inbound import delivery
    from services.gateway.mllp.batch import split_messages
    from services.gateway.mllp.framing import Decoder, Oversized, framed
    from services.gateway.source import source_of

from tests.unit.gateway.messages import PID, PV1, discharge, msh, referral, text

RECEIVED = datetime(2026, 3, 3, 15, 15, tzinfo=UTC)
CONVENTIONS = Conventions(
    zone=ZoneInfo("America/New_York"),
    assigner="LAKE",
    charset="8859/1",
    fields={location("PV1-19"): (location("PV1-50"), location("ZPV-1.2.2"), location("PV1-19"))},
)
LIMIT = 100_000
SEEDS = (
    discharge(),
    referral(),
    referral().replace(b"REF^I12", b"REF^I14"),
    text(msh("ADT^A40"), PID, "MRG|1", PID, "MRG|2"),
    text(msh("ADT^A02"), PID, PV1),
    text(msh("SIU^S12"), "SCH|1|2", "TQ1|||||||20260310090000", PID, "RGS|1", "AIS|1|A|X|20260310||| 5|min"),
    text(msh("ORU^R01"), PID, "OBR|1|||44249-1^PHQ-9^LN|||20260302", "OBX|1|NM|44260-8^Q^LN||2||||||F"),
)


def whole(data: bytes) -> None:
    """Frames, whatever their chunks, come out the same; each message in them is answered."""
    cut = len(data) // 3
    decoder, other = Decoder(LIMIT), Decoder(LIMIT)
    frames = decoder.feed(data)
    again = [*other.feed(data[:cut]), *other.feed(data[cut:])]
    if frames != again:
        raise AssertionError("The chunks made a difference.")
    for frame in (*frames, *split_messages(data)):
        message(frame.beginning if isinstance(frame, Oversized) else frame)


def message(raw: bytes) -> None:
    """A message is translated and stored, or refused; the answer is one that can be read."""
    header = read_header(raw)
    try:
        read = parse(raw, CONVENTIONS.charset or "")
        for part, told in enumerate(
            translate(read, source=source_of(read), received=RECEIVED, conventions=CONVENTIONS)
        ):
            delivery(told, raw, RECEIVED, part=part)
        answer = accept(header, RECEIVED)
    except Hl7Error as error:
        answer = refuse(header, error, RECEIVED)
    if answer is not None and parse(answer).text("MSA", 1)[1:] not in {"A", "E", "R"}:
        raise AssertionError("The answer is none.")


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    arguments = list(sys.argv)
    if not any(not each.startswith("-") for each in arguments[1:]):
        folder = Path("/tmp") / "throughcare-fuzz-hl7v2"  # noqa: S108 - inputs made up by a fuzzer
        folder.mkdir(exist_ok=True)
        arguments.append(str(folder))
    for number, seed in enumerate(SEEDS):
        Path(arguments[-1], f"seed-{number}").write_bytes(framed(seed))
    atheris.Setup(arguments, whole)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
