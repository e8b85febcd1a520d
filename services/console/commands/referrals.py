"""`throughcare accept | decline | cancel`: what a coordinator answers to a referral."""

from typing import Annotated

import typer

from services.console import lookup
from services.console.asking import ask, common, day_of
from services.console.options import CONSOLE, Actor, AsJson, Referral
from shared.commands.intake import (
    AcceptReferral,
    ConfirmReferralCancellation,
    DeclineReferral,
    RequestReferralCancellation,
)


def accept(
    context: typer.Context,
    referral: Referral,
    owner: Annotated[str, typer.Option(help="Who takes it on, as an opaque id.", show_default=False)],
    expected_by: Annotated[
        str | None, typer.Option(metavar="DATE", help="The day by which the person is expected.")
    ] = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Accept a referral."""
    expected = day_of(expected_by, option="--expected-by") if expected_by else None
    ask(
        context,
        lookup.referral,
        referral,
        lambda found: AcceptReferral(
            **common(found.participant, actor), referral=found.id, owner=owner, expected_by=expected
        ),
        as_json=as_json,
    )


def decline(
    context: typer.Context,
    referral: Referral,
    reason: Annotated[
        str, typer.Option(metavar="CODE", help="Why, such as no-capacity.", show_default=False)
    ],
    alternative: Annotated[str | None, typer.Option(help="Where else the person could go.")] = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Decline a referral."""
    ask(
        context,
        lookup.referral,
        referral,
        lambda found: DeclineReferral(
            **common(found.participant, actor),
            referral=found.id,
            reason_code=reason,
            alternative=alternative,
        ),
        as_json=as_json,
    )


def cancel(
    context: typer.Context,
    referral: Referral,
    requested: Annotated[
        bool,
        typer.Option(
            "--requested", help="Record that the sender asks to cancel; without it, agree to what it asked."
        ),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why the sender asks.")] = None,
    actor: Actor = CONSOLE,
    as_json: AsJson = False,
) -> None:
    """Record a sender's request to cancel its referral, or agree to it."""
    ask(
        context,
        lookup.referral,
        referral,
        lambda found: (
            RequestReferralCancellation(**common(found.participant, actor), referral=found.id, reason=reason)
            if requested
            else ConfirmReferralCancellation(**common(found.participant, actor), referral=found.id)
        ),
        as_json=as_json,
    )
