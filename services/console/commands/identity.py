"""`throughcare match | merge | unmerge`: which records are one person."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from services.console import lookup
from services.console.asking import ask, common
from services.console.options import Actor, AsJson, Participant
from services.console.place import place_of
from shared.commands.intake import MergeParticipants, ResolveMatch, UnmergeParticipants

ACTOR = "coordinator:console"

Reason = Annotated[str | None, typer.Option(help="Why, for whoever reads the record later.")]


def match(
    context: typer.Context,
    participant: Participant,
    same_as: Annotated[
        str | None, typer.Option(metavar="PARTICIPANT", help="The candidate who is the same person.")
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="None of the candidates is.")] = False,
    reason: Reason = None,
    actor: Actor = ACTOR,
    as_json: AsJson = False,
) -> None:
    """Answer whether somebody newly registered is known already: the candidate's record survives."""
    if (same_as is None) != nobody:
        raise typer.BadParameter("Say --same-as with the candidate, or --nobody.")
    known = _record(context, same_as) if same_as else None
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: ResolveMatch(**common(found.participant, actor), same_as=known, reason=reason),
        as_json=as_json,
    )


def merge(
    context: typer.Context,
    participant: Participant,
    into: Annotated[
        str, typer.Option(metavar="PARTICIPANT", help="Whose record survives.", show_default=False)
    ],
    reason: Reason = None,
    actor: Actor = ACTOR,
    as_json: AsJson = False,
) -> None:
    """Read a record as another one's from now on; `unmerge` takes it back, whatever happened since."""
    survivor = _record(context, into)
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: MergeParticipants(**common(found.participant, actor), survivor=survivor, reason=reason),
        as_json=as_json,
    )


def unmerge(
    context: typer.Context,
    participant: Participant,
    reason: Reason = None,
    actor: Actor = ACTOR,
    as_json: AsJson = False,
) -> None:
    """Let a record that was merged stand for itself again."""
    ask(
        context,
        lookup.participant,
        participant,
        lambda found: UnmergeParticipants(**common(found.participant, actor), reason=reason),
        as_json=as_json,
    )


def _record(context: typer.Context, meant: str) -> UUID:
    return asyncio.run(lookup.participant(place_of(context), meant)).participant
