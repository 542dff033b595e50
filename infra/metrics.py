"""What a process tells Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST as EXPOSITION
from prometheus_client.registry import Collector

from infra.service import Service

__all__ = ["EXPOSITION", "exposition"]


def exposition(service: Service) -> bytes:
    """Return the metrics of *service* in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Protections(service))
    return generate_latest(registry)


class _Protections(Collector):
    """What confines the sandbox's cores: 1 where active, 0 where missing."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give one sample a protection; none before a core has run."""
        family = GaugeMetricFamily(
            "pratique_sandbox_protection",
            "Whether a protection confines the cores that see uploaded bytes.",
            labels=["protection"],
        )
        for name, active in self._service.protections().items():
            family.add_metric([name], float(active))
        yield family
