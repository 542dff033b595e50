"""What the users that provision makes may do on a real MinIO, and what not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from minio import Minio
from minio.commonconfig import ENABLED
from minio.error import MinioAdminException, S3Error
from minio.versioningconfig import VersioningConfig

from schemas.objects import Buckets
from tests.infra.provision import stores
from tests.infra.provision.stores import Store, copy, put, refused

pytestmark = pytest.mark.servers

KEY = "uploads/p1/a1"
DROP = "drops/p1/a.png"


@dataclass
class Scene:
    """A provisioned store with an object in each bucket."""

    store: Store
    version: str

    @property
    def buckets(self) -> Buckets:
        return self.store.buckets


@pytest.fixture(scope="module")
def provisioned(minio_server: Any) -> Iterator[Store]:
    with stores.store(minio_server.url, *stores.USERS) as made:
        made.provision()
        yield made


@pytest.fixture
def scene(provisioned: Store) -> Scene:
    admin = provisioned.client()
    for bucket in provisioned.buckets.model_dump().values():
        stored = put(admin, bucket, KEY)
        if bucket == provisioned.buckets.quarantine:
            version = stored.version_id
    return Scene(provisioned, version)


Attempt = Callable[[Minio, Scene], object]

# Each is an attempt at something; who may do it is said by the tables below.
ATTEMPTS: dict[str, Attempt] = {
    "ping": lambda c, s: c.list_buckets(),
    "look at quarantine": lambda c, s: c.get_bucket_versioning(s.buckets.quarantine),
    "look at clean": lambda c, s: c.get_bucket_versioning(s.buckets.clean),
    "see quarantine's notifications": lambda c, s: c.get_bucket_notification(
        s.buckets.quarantine
    ),
    "see clean's notifications": lambda c, s: c.get_bucket_notification(
        s.buckets.clean
    ),
    "put an upload": lambda c, s: put(c, s.buckets.quarantine, KEY),
    "put a large upload": lambda c, s: put(
        c, s.buckets.quarantine, KEY, bytes(6 << 20)
    ),
    "put a drop": lambda c, s: put(c, s.buckets.quarantine, DROP),
    "put a stray": lambda c, s: put(c, s.buckets.quarantine, "stray"),
    "put clean": lambda c, s: put(c, s.buckets.clean, "p1/other"),
    "put original": lambda c, s: put(c, s.buckets.originals, "p1/other"),
    "put erasure": lambda c, s: put(c, s.buckets.ledger, "erasures/a1"),
    "put ledger": lambda c, s: put(c, s.buckets.ledger, "other"),
    "read quarantine": lambda c, s: c.stat_object(s.buckets.quarantine, KEY),
    "read a version": lambda c, s: c.stat_object(
        s.buckets.quarantine, KEY, version_id=s.version
    ),
    "read clean": lambda c, s: c.stat_object(s.buckets.clean, KEY),
    "read original": lambda c, s: c.stat_object(s.buckets.originals, KEY),
    "read ledger": lambda c, s: c.stat_object(s.buckets.ledger, KEY),
    "list quarantine": lambda c, s: list(
        c.list_objects(s.buckets.quarantine, include_version=True, recursive=True)
    ),
    "list clean": lambda c, s: list(c.list_objects(s.buckets.clean)),
    "list originals": lambda c, s: list(c.list_objects(s.buckets.originals)),
    "list ledger": lambda c, s: list(c.list_objects(s.buckets.ledger)),
    "copy clean to quarantine": lambda c, s: copy(
        c, s.buckets.quarantine, KEY, (s.buckets.clean, KEY)
    ),
    "delete a version": lambda c, s: c.remove_object(
        s.buckets.quarantine, KEY, version_id=s.version
    ),
    "delete clean": lambda c, s: c.remove_object(s.buckets.clean, KEY),
    "delete original": lambda c, s: c.remove_object(s.buckets.originals, KEY),
    "delete ledger": lambda c, s: c.remove_object(s.buckets.ledger, KEY),
    "stop versioning": lambda c, s: c.set_bucket_versioning(
        s.buckets.quarantine, VersioningConfig(ENABLED)
    ),
    "stop notifications": lambda c, s: c.delete_bucket_notification(
        s.buckets.quarantine
    ),
    "make a bucket": lambda c, s: c.make_bucket("anything-else"),
}
MAY: dict[str, set[str]] = {
    "upload": {
        "ping",
        "look at quarantine",
        "see quarantine's notifications",
        "put an upload",
        "put a large upload",
    },
    "upload-signer": {"put an upload", "put a large upload"},
    "download-signer": {"read clean"},
    "dropper": {"put a drop"},
    "sanitizer": {
        "ping",
        "look at quarantine",
        "look at clean",
        "see quarantine's notifications",
        "see clean's notifications",
        "read quarantine",
        "read a version",
        "delete a version",
        "read clean",
        "put clean",
        "delete clean",
        "put original",
    },
    "metadata": {
        "ping",
        "look at clean",
        "see clean's notifications",
        "read clean",
    },
    "janitor": {
        "ping",
        "look at quarantine",
        "look at clean",
        "see quarantine's notifications",
        "see clean's notifications",
        "read quarantine",
        "read a version",
        "read clean",
        "read original",
        "read ledger",
        "list quarantine",
        "list clean",
        "list originals",
        "list ledger",
        "delete a version",
        "delete clean",
        "delete original",
        "put erasure",
    },
}


@pytest.mark.parametrize("user", stores.USERS)
def test_a_user_may_do_what_its_work_wants_and_nothing_else(
    scene: Scene, user: str
) -> None:
    client = scene.store.client(user)

    done = {
        name
        for name, attempt in ATTEMPTS.items()
        if not refused(partial(attempt, client, scene))
    }

    assert done == MAY[user]


@pytest.mark.parametrize("user", stores.USERS)
def test_a_user_makes_no_keys_that_outlive_its_own(scene: Scene, user: str) -> None:
    hijacked = scene.store.administration(user)

    with pytest.raises(MinioAdminException) as error:
        hijacked.add_service_account(access_key="kept", secret_key="kept for later")

    assert "AccessDenied" in str(error.value)


@pytest.mark.parametrize(
    ("user", "attempt"),
    [("sanitizer", "read clean"), ("upload", "put an upload")],
)
def test_temporary_keys_of_a_user_are_of_no_use(
    scene: Scene, user: str, attempt: str
) -> None:
    client = scene.store.temporary(user)

    assert refused(partial(ATTEMPTS[attempt], client, scene))


@pytest.mark.parametrize("user", stores.USERS)
def test_a_user_sets_no_secret_not_even_its_own(scene: Scene, user: str) -> None:
    hijacked = scene.store.administration(user)
    own = scene.store.secrets.store_user(user)

    with pytest.raises(MinioAdminException) as error:
        hijacked.user_add(own, "another secret")

    assert "AccessDenied" in str(error.value)


@pytest.mark.parametrize("user", ["upload", "upload-signer"])
def test_what_was_judged_is_never_overwritten(scene: Scene, user: str) -> None:
    client, quarantine = scene.store.client(user), scene.buckets.quarantine

    status = stores.overwrite(client, quarantine, KEY, scene.version)

    assert status == 403


def test_the_overwriting_that_is_denied_is_possible_else(scene: Scene) -> None:
    quarantine = scene.buckets.quarantine

    status = stores.overwrite(scene.store.client(), quarantine, KEY, scene.version)

    assert status == 200


def test_what_is_missing_is_missing_and_not_forbidden(scene: Scene) -> None:
    with pytest.raises(S3Error) as error:
        scene.store.client("sanitizer").stat_object(scene.buckets.quarantine, "gone")

    assert error.value.code == "NoSuchKey"
