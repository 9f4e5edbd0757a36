"""Under which name Prometheus knows a sink (PIPE-11)."""

import json
import os
import re
import socket
from pathlib import Path

import pytest
import yaml

from sinks.metrics import served, target

pytestmark = pytest.mark.requirement("PIPE-11")

RULES = Path(__file__).parents[3] / "stack" / "config" / "rules" / "sinks.yml"


def test_two_containers_whose_process_is_number_one_have_two_names() -> None:
    assert target("billing", "5f3c0a1b2d4e", 1) != target("billing", "0b9d7c6e5f4a", 1)


def test_the_alerts_that_look_for_a_sink_by_its_name_find_it() -> None:
    expressions = [rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    looked_for = [found for each in expressions for found in re.findall(r'worker=~"([^"]+)"', each)]
    assert looked_for
    assert [each for each in looked_for if not re.fullmatch(each, target("billing", "sinks-1.example", 1))] == []


def test_a_sink_is_announced_with_its_host_and_process_while_it_lasts(tmp_path: Path) -> None:
    with served("adi", "127.0.0.1", 0, tmp_path) as port:
        (file,) = tmp_path.iterdir()
        name = f"sink-adi-{socket.gethostname()}-{os.getpid()}"
        assert file.name == f"{name}.json"
        assert json.loads(file.read_text()) == [{"targets": [f"127.0.0.1:{port}"], "labels": {"worker": name}}]
    assert list(tmp_path.iterdir()) == []
