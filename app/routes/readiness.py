"""The verdict, its checks and waivers, and the keys that it is signed with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from app import errors
from app.routes.answers import created, refusals
from app.routes.dependencies import (
    Admin,
    MigrationInPath,
    OneAnswer,
    OneTransaction,
    Opened,
    Reader,
)
from app.routes.guard import GuardedRoute
from app.schemas.checks import LaunchCheckPage, ResultPage
from app.schemas.readiness import KeySet, ReadinessOut, WaiverIn, WaiverOut, WaiverPage
from app.services import readiness, waivers
from app.services.idempotency import Made
from app.services.transaction import Work

router = APIRouter(prefix="/v1", tags=["readiness"], route_class=GuardedRoute)
WaiverInPath = Annotated[UUID, Path(examples=["c6d1a4de-92f4-4f0c-8f3e-8d5c1e2b7a10"])]
JobInPath = Annotated[UUID, Path(examples=["7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"])]


@router.get(
    "/migrations/{migration}/readiness",
    summary="Get the verdict",
    responses=refusals(errors.MigrationNotFound),
)
async def show(_: Reader, migration: MigrationInPath, given: Opened) -> ReadinessOut:
    """May the new shop go live? Signed, with what it rests on. Where the last verification found
    nothing in the way, the source is asked whether it has moved since.
    """
    return await readiness.readiness(given, migration)


@router.get("/readiness/keys", summary="Get the keys that verdicts are signed with")
async def keys(_: Reader, given: Opened) -> KeySet:
    """A JWK set. The first key signs."""
    from app.signing import Signer  # noqa: PLC0415  as in the service

    return KeySet(**Signer.from_settings(given.settings).published())


@router.get(
    "/migrations/{migration}/checks",
    summary="List checks",
    responses=refusals(errors.MigrationNotFound),
)
async def checks(_: Reader, migration: MigrationInPath, work: OneTransaction) -> LaunchCheckPage:
    """All launch checks, what each of them proves, and whether it can stop this launch."""
    return LaunchCheckPage(items=await readiness.catalogue(work.session, migration), next=None)


@router.get(
    "/jobs/{job}/checks", summary="Get results of checks", responses=refusals(errors.JobNotFound)
)
async def results(_: Reader, job: JobInPath, work: OneTransaction) -> ResultPage:
    """What the checks of a job of kind `verify` have found so far."""
    return ResultPage(items=await readiness.job_results(work.session, job), next=None)


@router.get(
    "/migrations/{migration}/waivers",
    summary="List waivers",
    responses=refusals(errors.MigrationNotFound),
)
async def list_waivers(_: Reader, migration: MigrationInPath, work: OneTransaction) -> WaiverPage:
    """Expired ones too: who answered for what is kept."""
    return WaiverPage(items=await waivers.list_waivers(work.session, migration), next=None)


@router.post(
    "/migrations/{migration}/waivers",
    status_code=201,
    response_model=WaiverOut,
    summary="Waive a check",
    responses=refusals(errors.MigrationNotFound, errors.InvalidExpiry),
)
async def waive(
    caller: Admin, migration: MigrationInPath, asked: WaiverIn, once: OneAnswer
) -> Response:
    """While it lasts, the check does not stand in the way, and is shown as waived."""

    async def make(work: Work) -> Made:
        made = await waivers.add_waiver(work.session, migration, caller, asked)
        return made, {}

    return created(await once.run(201, make))


@router.delete(
    "/migrations/{migration}/waivers/{waiver}",
    status_code=204,
    summary="Remove a waiver",
    responses=refusals(errors.MigrationNotFound, errors.WaiverNotFound),
)
async def unwaive(
    _: Admin, migration: MigrationInPath, waiver: WaiverInPath, work: OneTransaction
) -> None:
    """From now on the check counts again."""
    await waivers.remove_waiver(work.session, migration, waiver)
