"""The Java programs: fetched by Maven once, kept under .stack/jars/<hash of pom.xml>/."""

import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from stack.errors import DownloadFailed
from stack.instance import HOME, locked, wipe

POM = Path(__file__).with_name("pom.xml")
AVRO_CONVERTER_CLASS = "io.apicurio.registry.utils.converter.AvroConverter"


class JarSet(StrEnum):
    """A folder of jars; its last part is the profile of pom.xml that lists them."""

    KAFKA = "kafka"  # the broker and the Connect worker
    DEBEZIUM_POSTGRES = "plugins/debezium-postgres"
    DEBEZIUM_JDBC = "plugins/debezium-jdbc"
    AVRO_CONVERTER = "plugins/avro-converter"
    REGISTRY = "registry"
    VERAPDF = "verapdf"


_ARCHIVES = {JarSet.DEBEZIUM_POSTGRES, JarSet.DEBEZIUM_JDBC, JarSet.REGISTRY}


def cache() -> Path:
    """The folder of the pinned versions."""
    return HOME / "jars" / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]


def folder(jar_set: JarSet) -> Path:
    """Where the jars of the set are, or will be."""
    return cache() / jar_set


def class_path(jar_set: JarSet) -> str:
    """All jars of the set, for `java -cp`."""
    return f"{folder(jar_set)}/*"


def missing(wanted: set[JarSet]) -> list[JarSet]:
    """The sets that are not in the cache yet."""
    return sorted(jar_set for jar_set in wanted if not folder(jar_set).is_dir())


def fetch(wanted: set[JarSet], report: Callable[[str], None]) -> None:
    """Bring the missing sets. A set appears under its name only when it is complete.

    Raises DownloadFailed with the path of Maven's output.
    """
    if not missing(wanted):
        return
    with locked(HOME / "jars" / "lock"):
        for jar_set in missing(wanted):
            report(f"fetching {jar_set} with Maven (once)")
            _fetch(jar_set)
            report(f"fetched {jar_set}, {_size_mb(folder(jar_set))} MB")


def ensure(jar_set: JarSet) -> Path:
    """The folder of the set, fetched when it is missing: for tests that run a Java program, as veraPDF."""
    fetch({jar_set}, lambda _line: None)
    return folder(jar_set)


def _fetch(jar_set: JarSet) -> None:
    profile = Path(jar_set).name
    partial = cache() / f".partial-{profile}"
    wipe(partial)
    partial.mkdir(parents=True)
    goal = "unpack-dependencies" if jar_set in _ARCHIVES else "copy-dependencies"
    output = cache() / f"maven-{profile}.log"
    command = ["mvn", "-q", "-B", "-ntp", "-f", str(POM), "-P", profile, f"dependency:{goal}"]
    # The plugin's own notes of what it unpacked before would make it leave a new folder empty.
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={partial}", "-DoverWriteReleases=true"]
    command += [f"-DmarkersDirectory={cache() / 'markers'}"]
    with output.open("wb") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0 or not any(partial.iterdir()):
        raise DownloadFailed(f"Maven could not fetch {jar_set} (exit {done.returncode}): read {output} and try again")
    if jar_set is JarSet.AVRO_CONVERTER:
        _declare_converter(partial)
    folder(jar_set).parent.mkdir(exist_ok=True)
    partial.rename(folder(jar_set))


def _declare_converter(plugin: Path) -> None:
    """Apicurio's converter lacks the service file by which Connect finds a plugin without scanning its classes."""
    with zipfile.ZipFile(plugin / "service-files.jar", "w") as jar:
        jar.writestr("META-INF/services/org.apache.kafka.connect.storage.Converter", f"{AVRO_CONVERTER_CLASS}\n")


def _size_mb(tree: Path) -> int:
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file()) // 1_000_000
