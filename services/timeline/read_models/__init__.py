"""The read models, each a projection with its table beside it.

Rows refer to nothing that refers back to them, and a batch holds thousands: the collector of cycles leaves
them alone.
"""

from services.timeline.read_models.alias import alias
from services.timeline.read_models.consent import consent
from services.timeline.read_models.fhir_resource import fhir_resource
from services.timeline.read_models.follow_up import follow_up
from services.timeline.read_models.participant import participant
from services.timeline.read_models.referral_status import referral_status
from services.timeline.read_models.timeline import timeline
from services.timeline.read_models.worklist import worklist
from shared.projections.projection import AnyProjection
from shared.site import Site


def projections(site: Site) -> tuple[AnyProjection, ...]:
    """Return every read model of the timeline service; days and times are the site's."""
    return (
        participant(site),
        timeline(site),
        worklist(site),
        referral_status(),
        follow_up(),
        fhir_resource(),
        alias(),
        consent(),
    )
