"""The ports: what the platform offers, whatever servers stand behind it.

Every sentence of their docstrings is a test in tests/contracts, run on every adapter.
All ports are safe to use from several threads at once. Adapters translate their
servers' errors at the border and never retry; everything may raise Unavailable.
"""

from schemas.ports.broker import Broker, Delivery, Message, QueueDepth, Subscription
from schemas.ports.records import AssetQuery, AssetRecords, Clock, Noted
from schemas.ports.sandbox import Sandbox
from schemas.ports.store import ASGIApp, ObjectStore

__all__ = [
    "ASGIApp",
    "AssetQuery",
    "AssetRecords",
    "Broker",
    "Clock",
    "Delivery",
    "Message",
    "Noted",
    "ObjectStore",
    "QueueDepth",
    "Sandbox",
    "Subscription",
]
