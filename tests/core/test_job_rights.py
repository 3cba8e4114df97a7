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


async def test_a_tenant_has_no_jobs_of_whoever_had_its_name(core, acme, owner, clock):
    boss = of("boss", ACME)
    job = await export_file.export_file(core, boss, "pcs/number", TableQuery())
    await ended(core, boss, job)
    await owner.delete("pcs/service_provider/acme")
    clock.now += 60
    await tenant(owner, "acme", "alice", "+15855550001")
    assert jobs.list_jobs(core, boss, "pcs/job", None, 0) == ([], 0)
    for ask in (jobs.download(core, boss, job.name, 0), jobs.read_log(core, boss, job.name)):
        with pytest.raises(NotFound):
            await anext(ask)
    assert jobs.get_job(core, owner.caller, job.name).actor == "boss"
    job = await export_file.export_file(core, boss, "pcs/number", TableQuery())
    assert (await ended(core, boss, job)).state == DONE


@pytest.mark.parametrize("loss", ["groups", "role", "archived", "followed"])
async def test_a_job_that_waited_does_no_more_than_its_actor_may_by_now(
    core, acme, owner, clock, loss
):
    boss, name = of("boss", ACME), f"pcs/administrator/{ACME}/boss"
    await owner.create(f"pcs/administrator/{ACME}", username="boss")
    await core.jobs.close()  # none is run
    out = await export_file.export_file(core, boss, "pcs/number", TableQuery())
    text = "number,subscriber_name,service_provider_name\n+15855550009,alice,acme\n"
    into = await begin(core, boss, "pcs/number", text)
    clock.now += 60
    if loss == "groups":
        await owner.update(name, permissions=["view_service_provider"])
    elif loss == "role":
        await tenant(owner, "other", "bob", "+15866660000")
        await owner.update(name, role_id="service_provider:other")
    else:
        await owner.delete(name)
    if loss == "followed":
        await owner.create(f"pcs/administrator/{ACME}", username="boss")
    core.jobs.__init__(core.jobs.folder)
    await core.jobs.start(core)
    assert (await ended(core, owner.caller, out)).rows_done == 0
    assert (await ended(core, owner.caller, into)).state == FAILED
    assert len(owner.names("pcs/number/acme")) == 1


async def test_a_job_goes_on_for_an_actor_who_may_do_more_by_now(core, acme, owner):
    await owner.create(f"pcs/administrator/{ACME}", username="clerk")
    job = await export_file.export_file(core, of("clerk", ACME, VIEWS), "pcs/number", TableQuery())
    assert (await ended(core, owner.caller, job)).rows_done == 1


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
