"""A Ray cluster of two nodes on this machine: one dies, or memory runs out."""

import os
from importlib.util import find_spec

import psutil
import pytest

from latent_arithmetic.config import SMOKE
from latent_arithmetic.experiments.catalog import all_experiments, select
from latent_arithmetic.experiments.driver import Driver
from latent_arithmetic.experiments.executors import InProcess, RayCluster
from latent_arithmetic.io import read_json
from tests.experiments.coins import CATALOG, PROJECT, all_coins

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed"),
]
GRID = ("text-to-text-encoder-decoder",)
TIMES = ("provenance", "seconds", "note")


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")  # read when Ray is imported
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    yield cluster
    cluster.shutdown()


def test_a_node_dies_and_every_record_is_as_here(tmp_path, cluster):
    experiments = select(all_experiments(), GRID)[:24]
    assert len(experiments) == 24
    second = cluster.add_node(num_cpus=2)
    executor, records = RayCluster(cluster.address, None), tmp_path / "ray"
    nodes, wait = [second], executor.wait

    def wait_and_kill(seconds):
        if nodes and len(list(records.glob("*.json"))) >= 8:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        return wait(seconds)

    executor.wait = wait_and_kill
    driver = Driver(executor, records, tmp_path / "work", SMOKE)
    assert driver.run(experiments) == [] and not nodes
    here = Driver(InProcess(), tmp_path / "here", tmp_path / "other", SMOKE)
    assert here.run(experiments) == []
    for each in experiments:
        found = [read_json(tmp_path / f / f"{each.name}.json") for f in ("ray", "here")]
        for record in found:
            for name in TIMES:
                del record[name]
        assert found[0] == found[1], each.name


def test_a_run_out_of_memory_is_named_and_the_rest_goes_on(
    tmp_path, monkeypatch, capsys
):
    """Ray's monitor ends it 3 GiB above what is in use now."""
    memory = psutil.virtual_memory()
    most = (memory.total - memory.available + 3 * 2**30) / memory.total
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{most:.3f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}{os.pathsep}{os.getcwd()}")
    coins = [coin for coin in all_coins() if coin.seed in (1, 2, 9)]
    executor = RayCluster(None, 1, num_cpus=2)
    driver = Driver(executor, tmp_path, tmp_path / "work", SMOKE, CATALOG)
    assert driver.run(coins) == ["coin-seed-9"]
    assert driver.crashes == {"coin-seed-9": 2}
    assert "out of memory" in capsys.readouterr().err
