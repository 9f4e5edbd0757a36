"""A broker in memory and a real one, for the same tests."""

from collections.abc import Iterator

import pytest

from stack import api
from stack.api import ServerName
from tests.simulation.clusters import Cluster, MemoryCluster, RealCluster


@pytest.fixture(scope="package")
def contract_kafka(worker_id: str) -> Iterator[str]:
    """host:port of a broker for the contract suite; one for each of pytest's processes."""
    instance = f"contract-{worker_id}"
    with api.while_up(instance, only=[ServerName.KAFKA]) as endpoints:
        yield endpoints.kafka


@pytest.fixture(params=["memory", "kafka"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Each test is run on both."""
    if request.param == "memory":
        yield MemoryCluster()
        return
    real = RealCluster(request.getfixturevalue("contract_kafka"))
    try:
        yield real
    finally:
        real.close()
