"""The cache of jars, with a stand-in for Maven on the PATH."""

import zipfile
from pathlib import Path

import pytest

from stack import jars
from stack.errors import DownloadFailed
from stack.jars import JarSet

WRITES_A_JAR = """
for word in "$@"; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done
echo jar > "$folder/a.jar"
echo called >> "$(dirname "$0")/calls"
"""


class Maven:
    """A `mvn` that writes one jar and ends as it is told."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "mvn"
        self._calls = folder / "calls"
        self.ends_with(0)

    def ends_with(self, code: int) -> None:
        self._script.write_text(f"#!/bin/sh\n{WRITES_A_JAR}\necho its last words\nexit {code}\n")
        self._script.chmod(0o755)

    @property
    def calls(self) -> int:
        return len(self._calls.read_text().splitlines()) if self._calls.exists() else 0


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maven:
    monkeypatch.setattr(jars, "HOME", tmp_path / ".stack")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return Maven(tmp_path)


def test_jars_are_fetched_once(maven: Maven) -> None:
    lines: list[str] = []

    for _ in range(2):
        jars.fetch({JarSet.KAFKA}, lines.append)

    assert maven.calls == 1
    assert lines == ["fetching kafka with Maven (once)", "fetched kafka, 0 MB"]
    assert (jars.folder(JarSet.KAFKA) / "a.jar").exists()


def test_a_half_done_download_is_not_taken_for_complete(maven: Maven) -> None:
    maven.ends_with(1)

    with pytest.raises(DownloadFailed, match=r"Maven could not fetch kafka .* read .*maven-kafka.log") as failure:
        jars.ensure(JarSet.KAFKA)

    log = Path(str(failure.value).split("read ")[1].split(" and ")[0])
    assert "its last words" in log.read_text()
    assert jars.missing({JarSet.KAFKA}) == [JarSet.KAFKA]
    maven.ends_with(0)
    assert [path.name for path in jars.ensure(JarSet.KAFKA).iterdir()] == ["a.jar"]


def test_a_changed_version_is_fetched_into_another_folder(
    maven: Maven, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = jars.ensure(JarSet.REGISTRY)
    changed = tmp_path / "pom.xml"
    changed.write_text(jars.POM.read_text().replace("2.6.13.Final", "2.6.14.Final"))
    monkeypatch.setattr(jars, "POM", changed)

    after = jars.ensure(JarSet.REGISTRY)

    assert before != after
    assert maven.calls == 2


def test_the_avro_converter_gets_the_service_file_by_which_connect_finds_it(maven: Maven) -> None:
    plugin = jars.ensure(JarSet.AVRO_CONVERTER)

    with zipfile.ZipFile(plugin / "service-files.jar") as jar:
        service = jar.read("META-INF/services/org.apache.kafka.connect.storage.Converter").decode()
    assert service.strip() == jars.AVRO_CONVERTER_CLASS
