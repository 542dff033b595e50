"""The functions at work on real servers, each with its own user and no more rights."""

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from infra.client import Client
from infra.demo import wait_until
from infra.platform import Platform
from infra.provision import provision
from infra.samples import images
from infra.service import serving
from schemas.assets import Asset
from schemas.doors import CONSENT_METADATA, source_of
from schemas.errors import AssetNotFound, Unavailable
from schemas.functions import ScheduledFunction
from schemas.lifecycle import Status
from schemas.objects import ObjectRef
from tests.infra.provision import houses
from tests.infra.provision.houses import FUNCTIONS, House

pytestmark = pytest.mark.servers

PROJECT = "p1"
LONG_S = 30


@pytest.fixture(scope="module")
def house(
    minio_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with houses.house(minio_server, tmp_path_factory.mktemp("house")) as opened:
        provision(opened.platform, opened.secrets)
        yield opened


@pytest.fixture(scope="module")
def functions(house: House) -> Iterator[dict[str, Platform]]:
    """Every function, running with its own credentials; by name."""
    with ExitStack() as stack:
        own = {name: stack.enter_context(house.seen_by(name)) for name in FUNCTIONS}
        for name in ("upload", "sanitizer", "metadata"):
            stack.enter_context(serving(own[name], (name,)))
        yield own


@pytest.fixture
def client(functions: dict[str, Platform]) -> Iterator[Client]:
    with Client(functions["upload"].public_url) as opened:
        yield opened


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(images.photo())
    return path


def final(house: House, asset_id: UUID) -> Asset:
    """Return an asset once nothing more happens to it."""
    found: list[Asset] = []

    def is_final() -> bool:
        try:
            found[:] = [house.platform.records.get(asset_id)]
        except AssetNotFound:
            return False
        return found[0].final

    assert wait_until(is_final, timeout_s=LONG_S), found
    return found[0]


def test_a_form_upload_is_processed_and_can_be_downloaded(
    house: House, client: Client, photo: Path
) -> None:
    answer = client.form(photo, PROJECT, consent=True)

    asset = final(house, UUID(answer["asset_id"]))
    assert asset.status == Status.PROCESSED
    assert client.content(str(asset.id))


def test_a_presigned_upload_is_processed(
    house: House, client: Client, photo: Path
) -> None:
    answer = client.presigned(photo, PROJECT, consent=True)

    assert final(house, UUID(answer["asset_id"])).status == Status.PROCESSED


def test_a_drop_is_processed(
    house: House, functions: dict[str, Platform], photo: Path
) -> None:
    with house.seen_by("upload", store=house.store_url("dropper")) as dropper:
        info = dropper.store.put(
            ObjectRef(house.store.buckets.quarantine, f"drops/{PROJECT}/a.jpg"),
            BytesIO(photo.read_bytes()),
            size_bytes=photo.stat().st_size,
            media_type="image/jpeg",
            metadata={CONSENT_METADATA: "true"},
        )

    source = source_of(info.ref)
    assert source is not None
    assert final(house, source.asset_id).status == Status.PROCESSED


def test_the_janitor_tidies_up_what_nobody_agreed_to(
    house: House, functions: dict[str, Platform]
) -> None:
    key = f"uploads/{PROJECT}/00000000-0000-4000-8000-000000000001"
    own = functions["janitor"]
    house.platform.store.put(
        ObjectRef(house.store.buckets.quarantine, key),
        BytesIO(b"x"),
        size_bytes=1,
        media_type="text/plain",
        metadata={},
    )
    janitor = own.functions["janitor"]
    assert isinstance(janitor, ScheduledFunction)

    janitor.run(own.context(janitor))

    left = house.platform.store.list(house.store.buckets.quarantine, key)
    assert list(left) == []


def test_a_function_is_denied_what_is_not_its_work(
    house: House, functions: dict[str, Platform]
) -> None:
    store = functions["metadata"].store

    with pytest.raises(Unavailable, match="denies"):
        store.head(ObjectRef(house.store.buckets.quarantine, "uploads/p1/a"))
