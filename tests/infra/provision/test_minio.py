"""Notifications and users on a real MinIO: made, compared, mended."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from minio.notificationconfig import (
    NotificationConfig,
    PrefixFilterRule,
    QueueConfig,
)

from infra.notifications import EVENTS_ANNOUNCED, arn
from infra.platform import Platform
from infra.provision import ProvisionSettings
from infra.provision.minio import changes
from infra.servers import minio
from infra.settings import PlatformSettings, load
from schemas.errors import SettingsError, Unavailable
from tests.infra.provision import stores
from tests.infra.provision.stores import Store, refused

pytestmark = pytest.mark.servers

NONE = ProvisionSettings.model_construct()
ANNOUNCED = "CompleteMultipartUpload, Copy, Post, Put"


@pytest.fixture(scope="module")
def made(minio_server: Any) -> Iterator[Store]:
    with stores.store(minio_server.url, "upload", "sanitizer") as store:
        yield store


@pytest.fixture
def store(made: Store) -> Store:
    made.provision()
    return made


def test_everything_is_found_before_it_is_made(minio_server: Any) -> None:
    with stores.store(minio_server.url, "upload") as fresh:
        found = [fresh.plain(change) for change in fresh.looked()]
        done = fresh.provision()

    assert found == done
    assert done == [
        "notifications of bucket quarantine: none"
        f" -> {ANNOUNCED} to arn:minio:sqs::QUARANTINE:amqp",
        f"notifications of bucket clean: none -> {ANNOUNCED} to"
        " arn:minio:sqs::CLEAN:amqp",
        "store policy upload: missing -> the least rights",
        "store user upload: missing -> let in with its secret",
        "policies of store user upload: none -> upload",
    ]


def test_a_second_time_nothing_is_changed(store: Store) -> None:
    assert store.provision() == []


def rules(*rules: QueueConfig) -> Callable[[Store], None]:
    """Return what gives quarantine other rules than the wanted one."""

    def set_them(store: Store) -> None:
        config = NotificationConfig(queue_config_list=list(rules))
        bucket = store.buckets.quarantine
        store.client().set_bucket_notification(bucket, config)

    return set_them


def rule(role: Any, *events: str, prefix: str | None = None) -> QueueConfig:
    return QueueConfig(
        queue=arn(role),
        events=list(events or EVENTS_ANNOUNCED),
        prefix_filter_rule=PrefixFilterRule(prefix) if prefix else None,
    )


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        (rules(), "none"),
        (rules(rule("clean")), f"{ANNOUNCED} to arn:minio:sqs::CLEAN:amqp"),
        (
            rules(rule("quarantine", "s3:ObjectCreated:Put")),
            "Put to arn:minio:sqs::QUARANTINE:amqp",
        ),
        (
            rules(rule("quarantine", prefix="uploads/")),
            f"{ANNOUNCED} with prefix uploads/ to arn:minio:sqs::QUARANTINE:amqp",
        ),
        (
            rules(rule("quarantine"), rule("clean", "s3:ObjectCreated:Put")),
            f"{ANNOUNCED} to arn:minio:sqs::QUARANTINE:amqp;"
            " Put to arn:minio:sqs::CLEAN:amqp",
        ),
    ],
    ids=["none", "other target", "fewer events", "filtered", "one more"],
)
def test_other_notifications_are_mended(
    store: Store, drift: Callable[[Store], None], found: str
) -> None:
    drift(store)

    done = store.provision()

    wanted = f"{ANNOUNCED} to arn:minio:sqs::QUARANTINE:amqp"
    assert done == [f"notifications of bucket quarantine: {found} -> {wanted}"]
    assert store.looked() == []


def test_the_order_of_events_is_no_difference(store: Store) -> None:
    rules(rule("quarantine", *reversed(EVENTS_ANNOUNCED)))(store)

    assert store.looked() == []


def test_what_announces_originals_is_ended(store: Store) -> None:
    config = NotificationConfig(queue_config_list=[rule("clean")])
    store.client().set_bucket_notification(store.buckets.originals, config)

    done = store.provision()

    found = f"{ANNOUNCED} to arn:minio:sqs::CLEAN:amqp"
    assert done == [f"notifications of bucket originals: {found} -> none"]


def all_rights(store: Store) -> None:
    everything = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
        ],
    }
    store.admin.policy_add(store.secrets.store_user("upload"), policy=everything)


def no_denial(store: Store) -> None:
    name = store.secrets.store_user("upload")
    document = json.loads(store.admin.policy_info(name))
    document["Statement"] = [
        each for each in document["Statement"] if each["Effect"] == "Allow"
    ]
    store.admin.policy_add(name, policy=document)


def removed(store: Store) -> None:
    store.admin.user_remove(store.secrets.store_user("upload"))


def disabled(store: Store) -> None:
    store.admin.user_disable(store.secrets.store_user("upload"))


def other_secret(store: Store) -> None:
    store.admin.user_add(store.secrets.store_user("upload"), "another secret")


def promoted(store: Store) -> None:
    user = store.secrets.store_user("upload")
    store.admin.attach_policy(["consoleAdmin"], user=user)


def stripped(store: Store) -> None:
    user = store.secrets.store_user("upload")
    store.admin.detach_policy([user], user=user)


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        (all_rights, ["store policy upload: other rights"]),
        (no_denial, ["store policy upload: other rights"]),
        (
            removed,
            ["store user upload: missing", "policies of store user upload: none"],
        ),
        (disabled, ["store user upload: disabled"]),
        (other_secret, ["store user upload: another secret"]),
        (promoted, ["policies of store user upload: consoleAdmin, upload"]),
        (stripped, ["policies of store user upload: none"]),
    ],
)
def test_users_that_drifted_are_mended(
    store: Store, drift: Callable[[Store], None], found: list[str]
) -> None:
    drift(store)

    done = store.provision()

    assert [line.partition(" -> ")[0] for line in done] == found
    assert store.looked() == []
    assert refused(lambda: list(store.client("upload").list_objects("any")))


def test_looking_changes_nothing(store: Store) -> None:
    removed(store)
    rules()(store)

    first = [str(change) for change in store.looked()]

    assert [str(change) for change in store.looked()] == first != []


def test_without_secrets_no_user_is_made(minio_server: Any) -> None:
    with stores.store(minio_server.url) as fresh:
        done = fresh.provision()

        users = fresh.users()
    assert [line.partition(" ")[0] for line in done] == ["notifications"] * 2
    assert users == []


def test_a_server_without_targets_is_told_the_variables_it_lacks() -> None:
    with (
        minio() as bare,
        stores.store(bare.url) as fresh,
        pytest.raises(SettingsError) as error,
    ):
        fresh.looked()

    assert "MINIO_NOTIFY_AMQP_ENABLE_QUARANTINE=on" in str(error.value)
    assert "MINIO_NOTIFY_AMQP_ROUTING_KEY_CLEAN=object.created.clean" in str(
        error.value
    )


def test_whoever_is_no_administrator_is_told_so(store: Store) -> None:
    user = f"{store.secrets.store_user('sanitizer')}:secret%20of%20sanitizer"
    url = f"s3+http://{user}@{store.url.rpartition('@')[2]}"

    with pytest.raises(SettingsError, match="administrator") as error:
        look(url)

    assert "secret" not in str(error.value)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        look("s3+http://key:secret@127.0.0.1:9")


def look(url: str) -> None:
    with Platform(load(PlatformSettings, store=url, port=0)) as platform:
        list(changes(platform, NONE))
