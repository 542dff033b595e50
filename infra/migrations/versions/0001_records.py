"""Projects, assets, their events and consents.

There is no way down: going back means restoring a backup.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    _projects()
    _assets()
    _asset_indexes()
    _asset_events()
    _consents()


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("images", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("max_bytes", sa.BigInteger()),
        _moment("created_at"),
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("project_id", 64),
        _text("user_id", 255),
        _text("reference", 255, nullable=True),
        _text("filename", 255),
        _text("door", 16),
        _text("type", 255),
        _text("path"),
        _text("source_key"),
        _text("source_version", nullable=True),
        _text("source_sha256", nullable=True),
        _text("media_type", nullable=True),
        sa.Column("size_bytes", sa.BigInteger()),
        _text("sha256", nullable=True),
        _text("consent_hash", nullable=True),
        sa.Column("exif_stripped", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        _text("reason", nullable=True),
        _text("fault", nullable=True),
        _text("sanitizer_version", nullable=True),
        *_facts(),
        _text("status", 32),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("announced_revision", sa.Integer(), nullable=False),
        _moment("next_announce_at"),
        _moment("expires_at"),
        _moment("created_at", nullable=False),
        _moment("updated_at", nullable=False),
    )


def _facts() -> list[sa.Column[object]]:
    return [
        _text("consent", nullable=True),
        _moment("arrived_at"),
        sa.Column("checks", sa.JSON(), nullable=False),
        _text("promotion", nullable=True),
        _text("description", nullable=True),
        _moment("expired_at"),
        _moment("retired_at"),
        _moment("withdrawn_at"),
        _moment("erased_at"),
    ]


def _asset_indexes() -> None:
    op.create_index("ix_assets_reference", "assets", ["reference"])
    op.create_index("ix_assets_status", "assets", ["status"])
    op.create_index("ix_assets_page", "assets", ["project_id", "created_at", "id"])
    op.create_index("ix_assets_age", "assets", ["created_at", "id"])
    waiting = sa.text("next_announce_at IS NOT NULL")
    op.create_index(
        "ix_assets_due",
        "assets",
        ["next_announce_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )


def _asset_events() -> None:
    op.create_table(
        "asset_events",
        sa.Column("asset_id", sa.Uuid(), sa.ForeignKey("assets.id"), primary_key=True),
        # No sequence: SQLAlchemy makes one for a lone integer key only.
        sa.Column("revision", sa.Integer(), primary_key=True),
        _text("status", 32),
        _moment("at", nullable=False),
    )


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("asset_id", sa.Uuid(), sa.ForeignKey("assets.id"), primary_key=True),
        _text("receipt"),
        _text("sha256", 64),
        _moment("given_at", nullable=False),
    )


def _text(
    name: str, length: int | None = None, *, nullable: bool = False
) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
