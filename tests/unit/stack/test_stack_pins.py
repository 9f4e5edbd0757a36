"""The versions of pom.xml hold for the images too, and what the images need is there."""

import re
from pathlib import Path

import yaml
from compose_spec import PyCompose

from stack import jars
from stack.instance import CHECKOUT

COMPOSE = (CHECKOUT / "docker-compose.yml").read_text()
JAVA_IMAGES = (CHECKOUT / "stack" / "java.Dockerfile").read_text()


def pinned(name: str) -> str:
    found = re.search(rf"<{re.escape(name)}>(.+?)</", jars.POM.read_text())
    assert found is not None
    return found[1]


def test_docker_runs_the_kafka_that_the_local_stack_runs() -> None:
    assert f"image: apache/kafka:{pinned('kafka.version')}\n" in COMPOSE


def test_every_port_of_docker_is_published_on_this_machine_only() -> None:
    published = re.findall(r'ports: \["([^"]+)"\]', COMPOSE)

    assert len(published) == 6
    assert all(each.startswith("127.0.0.1:") for each in published)


def test_the_connect_image_has_every_plugin() -> None:
    plugins = [Path(jar_set).name for jar_set in jars.JarSet if jar_set.startswith("plugins/")]

    assert len(plugins) == 3
    assert all(f"{plugin} plugins/{plugin}" in JAVA_IMAGES for plugin in plugins)
    assert jars.AVRO_CONVERTER_CLASS in JAVA_IMAGES


def test_the_compose_file_keeps_to_the_specification() -> None:
    document = yaml.safe_load(COMPOSE)

    compose = PyCompose.from_yaml(yaml.safe_dump(document))  # it does not know YAML's merge keys
    compose.validate()

    assert set(compose.service_names()) == document["services"].keys()
