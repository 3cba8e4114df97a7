"""Jobs do what their actor may, and are seen by whoever may as much."""

import pytest

from callscreen.core.access import principal
from callscreen.core.commands import export_file, jobs
from callscreen.core.errors import NotFound, PermissionDenied
from callscreen.v1.jobs_pb2 import DONE, FAILED
from callscreen.v1.provisioning_pb2 import TableQuery

from .bulk import begin, dump, ended, load, told
from .conftest import tenant

ACME = "service_provider:acme"
USERS = "pcs_default:pcs_service_provider_user_administration"
VIEWS = "pcs_default:pcs_subscriber_views"
HEADER = "username,role_id,first_name,last_name,email,permissions\n"


@pytest.fixture
async def core(core):
    await core.jobs.start(core)
    return core


@pytest.fixture
async def acme(owner):
    await tenant(owner, "acme", "alice", "+15855550001")


def of(username, role_id, *groups):
    return principal("pcs", username, role_id, groups)


async def test_an_export_holds_what_its_actor_may_read(core, acme, owner):
    await owner.create(f"pcs/administrator/{ACME}", username="boss")
    await owner.create("pcs/administrator/subscriber:acme:alice", username="ann")
    clerk = of("clerk", ACME, VIEWS, "view_subscriber_user")
    made = await dump(core, clerk, "pcs/administrator")
    assert ("ann" in made, "boss" in made, "pcs_administrator" in made) == (True, False, False)


async def test_who_may_do_less_neither_sees_nor_ends_a_job(core, acme):
    boss, clerk = of("boss", ACME), of("clerk", ACME, VIEWS)
    job = await export_file.export_file(core, boss, "pcs/administrator", TableQuery())
    await ended(core, boss, job)
    assert jobs.list_jobs(core, clerk, "pcs/job", None, 0) == ([], 0)
    with pytest.raises(NotFound):
        await anext(jobs.download(core, clerk, job.name, 0))
    with pytest.raises(NotFound):
        await jobs.cancel_job(core, clerk, job.name)
    own = await export_file.export_file(core, clerk, "pcs/number", TableQuery())
    assert (await ended(core, clerk, own)).state == DONE
    assert jobs.get_job(core, boss, own.name).actor == "clerk"


async def test_without_rights_on_jobs_there_are_none(core, acme):
    none = of("clerk", ACME, "view_subscriber", "alter_subscriber_user")
    with pytest.raises(PermissionDenied):
        await export_file.export_file(core, none, "pcs/number", TableQuery())
    with pytest.raises(PermissionDenied):
        await begin(core, none, "pcs/administrator", "x")
    assert jobs.list_jobs(core, none, "pcs/job", None, 0) == ([], 0)


async def test_no_job_begins_outside_the_reach_of_its_actor(core, acme, owner):
    await tenant(owner, "other", "bob", "+15866660000")
    caller = of("boss", ACME)
    for provider in ("other", "nobody"):
        for parent in (f"pcs/number/{provider}", f"pcs/administrator/service_provider:{provider}"):
            with pytest.raises(PermissionDenied):
                await export_file.export_file(core, caller, parent, TableQuery())
            with pytest.raises(PermissionDenied):
                await begin(core, caller, parent, "x")
    for whole in ("pcs/number", "pcs/number/acme", "pcs/number/acme/alice"):
        assert (await dump(core, caller, whole)).count("+1585") == 1


async def test_an_import_gives_no_more_than_its_actor_has(core, acme, owner):
    users = of("users", ACME, USERS)
    rows = f"jane,{ACME},,,,\njoe,{ACME},,,,{USERS}\neve,platform_owner,,,,\n"
    job = await load(core, users, "pcs/administrator", HEADER + rows)
    assert job.state == FAILED
    denied = "You do not have permission to perform that operation."
    lines = [(line, message) for line, _, message in await told(core, users, job)]
    assert lines == [(2, denied), (4, denied)]
    good = await load(core, users, "pcs/administrator", HEADER + rows.splitlines()[1])
    assert good.state == DONE
    job = await load(core, owner.caller, "pcs/administrator", f"{HEADER}jane,{ACME},,,,\n")
    assert job.state == DONE
    made = owner.get(f"pcs/administrator/{ACME}/jane")
    assert list(made.administrator.permissions) == ["default:service_provider"]
    assert not made.activation_token
