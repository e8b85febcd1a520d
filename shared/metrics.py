"""Every figure that a process counts (Prometheus). Labels name kinds of things, never an id or a person."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

COMMANDS: Final = Counter(
    "throughcare_commands_total",
    "Commands handled, by type and answer (appended, unchanged, refused, invalid, unavailable).",
    ("type", "answer"),
)
COMMAND_SECONDS: Final = Histogram(
    "throughcare_command_seconds", "From a command's arrival to its answer.", ("type",), buckets=_SECONDS
)
EVENTS_APPENDED: Final = Counter("throughcare_events_appended_total", "Events appended, by type.", ("type",))
CONFLICTS: Final = Counter(
    "throughcare_append_conflicts_total",
    "Appends refused because somebody else appended to the entity first, by category.",
    ("category",),
)

POLICY_OUTCOMES: Final = Counter(
    "throughcare_policy_outcomes_total",
    "Messages that a policy handled, by consumer and outcome (done, retried, parked).",
    ("consumer", "outcome"),
)
RESULTS_KEPT: Final = Counter(
    "throughcare_results_kept_total",
    "Result messages without an instrument of ours: kept in INBOUND, and nothing follows.",
)
CONSUMER_PENDING: Final = Gauge(
    "throughcare_consumer_pending", "Messages not yet acknowledged by a durable consumer.", ("consumer",)
)

PROJECTOR_BATCHES: Final = Counter(
    "throughcare_projector_batches_total", "Batches committed, by partition.", ("partition",)
)
PROJECTOR_EVENTS: Final = Counter(
    "throughcare_projector_events_total", "Events committed to the journal, by partition.", ("partition",)
)
PROJECTOR_LAG: Final = Gauge(
    "throughcare_projector_lag_events",
    "Events of the log that were not committed yet when the last batch was, by partition.",
    ("partition",),
)

MLLP_MESSAGES: Final = Counter(
    "throughcare_mllp_messages_total",
    "Messages of hospitals, by kind (adt, referral, other) and acknowledgement code.",
    ("kind", "answer"),
)
MLLP_SECONDS: Final = Histogram(
    "throughcare_mllp_seconds", "From a complete message to its acknowledgement.", buckets=_SECONDS
)

NATIVE_MESSAGES: Final = Counter(
    "throughcare_native_messages_total",
    "Messages that senders published to NATS, by kind and answer (stored, or the error's code).",
    ("kind", "answer"),
)
NATIVE_SECONDS: Final = Histogram(
    "throughcare_native_seconds", "From a published message to its answer.", buckets=_SECONDS
)

DELIVERIES: Final = Counter(
    "throughcare_deliveries_total",
    "Attempts to tell a sender, by way (mllp, rest-hook) and outcome (delivered, rejected, unreachable).",
    ("way", "outcome"),
)
DELIVERY_OLDEST_SECONDS: Final = Gauge(
    "throughcare_delivery_oldest_seconds",
    "For how long the oldest news that a sender has not got has waited, by way, as this gateway leads.",
    ("way",),
)
