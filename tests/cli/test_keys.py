"""Keys of the API and of the vault, made and revoked directly in the database."""

from uuid import uuid4

import pytest
from cryptography.fernet import Fernet

from app.security import Vault
from tests.cli.databases import execute


@pytest.fixture
def configured(servers, database, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_DATABASE_URL", database)
    monkeypatch.setenv("RECENT_SYNC_REDIS_URL", servers.redis_url)
    return database


def test_a_key_is_shown_once_and_kept_as_a_hash(configured, run):
    made = run("keys", "create", "--name", "pipeline", "--scope", "run", "--json").document

    listed = next(
        each for each in run("keys", "list", "--json").document if each["prefix"] == made["prefix"]
    )
    assert listed["name"] == "pipeline"
    assert listed["scopes"] == ["run"]
    assert made["key"].startswith(f"rs_{made['prefix']}_")
    assert made["key"] not in run("keys", "list").out


def test_a_key_has_all_scopes_unless_told_otherwise(configured, run):
    made = run("keys", "create", "--json").document

    assert made["scopes"] == ["read", "run", "admin"]
    assert made["expires_at"] is None


def test_a_key_can_be_made_to_expire(configured, run):
    assert run("keys", "create", "--days", "30", "--json").document["expires_at"] is not None


def test_only_the_key_goes_to_standard_output(configured, run):
    """So that a script can take it as it is."""
    outcome = run("keys", "create")

    assert outcome.out.startswith("rs_")
    assert len(outcome.out.strip().splitlines()) == 1


def test_a_key_is_revoked_by_its_prefix(configured, run):
    made = run("keys", "create", "--json").document

    assert run("keys", "revoke", made["prefix"]).code == 0

    listed = run("keys", "list", "--json").document
    assert next(each for each in listed if each["prefix"] == made["prefix"])["revoked_at"]


def test_an_unknown_prefix_is_wrong_use(configured, run):
    assert run("keys", "revoke", "nobody").code == 2


def test_credentials_are_put_under_the_first_key(configured, run, monkeypatch):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    store, sealed = uuid4(), Vault([old]).seal({"consumer_key": "ck_sesame"})
    execute(
        configured,
        "INSERT INTO stores (id, name, platform, settings, credentials, version)"
        " VALUES (:id, 'old', 'woocommerce', '{}', :sealed, 1)",
        id=store,
        sealed=sealed,
    )
    monkeypatch.setenv("RECENT_SYNC_ENCRYPTION_KEYS", f"{new},{old}")

    outcome = run("keys", "rotate")

    assert outcome.code == 0
    kept = execute(configured, "SELECT credentials FROM stores WHERE id = :id", id=store)
    assert Vault([new]).open(bytes(kept[0][0])) == {"consumer_key": "ck_sesame"}


def test_rotation_without_the_old_key_changes_nothing(configured, run, monkeypatch):
    sealed = Vault([Fernet.generate_key().decode()]).seal({"consumer_key": "ck_sesame"})
    execute(
        configured,
        "INSERT INTO stores (id, name, platform, settings, credentials, version)"
        " VALUES (:id, 'lost', 'woocommerce', '{}', :sealed, 1)",
        id=uuid4(),
        sealed=sealed,
    )
    monkeypatch.setenv("RECENT_SYNC_ENCRYPTION_KEYS", Fernet.generate_key().decode())
    before = execute(configured, "SELECT id, credentials FROM stores ORDER BY id")

    outcome = run("keys", "rotate")

    assert outcome.code == 2
    assert execute(configured, "SELECT id, credentials FROM stores ORDER BY id") == before


def test_a_generated_key_opens_a_vault(run):
    Vault([run("keys", "generate").out.strip()])


def test_a_database_without_tables_says_what_to_do(servers, run, monkeypatch):
    name = f"cli_{uuid4().hex[:8]}"
    execute(servers.database_url, f"CREATE DATABASE {name}")
    url = servers.database_url.rsplit("/", 1)[0] + f"/{name}"
    monkeypatch.setenv("RECENT_SYNC_DATABASE_URL", url)
    monkeypatch.setenv("RECENT_SYNC_REDIS_URL", servers.redis_url)
    try:
        assert "recent-sync db upgrade" in run("keys", "list").err
        assert run("db", "upgrade").code == 0
        assert run("keys", "list", "--json").document == []
        assert run("db", "upgrade").code == 0
    finally:
        execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
