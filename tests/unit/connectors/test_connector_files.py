"""The connectors' files are filled from the settings, hold no credential, and agree with the declarations."""

import json
import re

import pytest

from connectors.configuration import HERE, Deployment, Unreadable, configurations
from connectors.connect import differing
from connectors.database import MIGRATIONS
from connectors.rest import innermost_cause
from connectors.tables import TABLES, Table
from schemas.avro import declared
from schemas.settings import Settings
from schemas.topics import PARTITIONS, TOPICS, Kind, Topic

SETTINGS = Settings(
    _env_file=None,
    postgres="postgresql://writer:secret@db.example:6543/ledger?sslmode=verify-full",
    converter_registry="http://registry.example/apis/registry/v2",
)
FILES = [path for folder in ("sources", "sinks") for path in (HERE / folder).glob("*.json")]


@pytest.mark.requirement("PIPE-15")
def test_no_credential_is_in_a_configuration() -> None:
    for configuration in configurations(SETTINGS).values():
        assert "secret" not in json.dumps(configuration)
        passwords = {value for name, value in configuration.items() if "password" in name}
        assert passwords == {"${env:MILLRACE_POSTGRES_PASSWORD}"}


def test_addresses_come_from_the_settings() -> None:
    filled = configurations(SETTINGS)
    assert filled["millrace-reference"]["database.hostname"] == "db.example"
    assert filled["millrace-reference"]["database.port"] == "6543"
    assert filled["millrace-balances"]["connection.url"] == (
        "jdbc:postgresql://db.example:6543/ledger?sslmode=verify-full"
    )
    for path in FILES:
        assert not re.search(r"127\.0\.0\.1|localhost|:\d{4,5}", path.read_text()), path


def test_two_deployments_on_the_same_servers_share_nothing() -> None:
    one = configurations(SETTINGS, Deployment("one", "one."))
    two = configurations(SETTINGS, Deployment("two", "two."))
    assert not one.keys() & two.keys()
    for name, mine in one.items():
        theirs = two[name.replace("one", "two")]
        own = {
            "slot.name",
            "topic.prefix",
            "transforms.name.replacement",
            "topics",
            "errors.deadletterqueue.topic.name",
        }
        assert {key for key in mine if mine[key] != theirs[key]} == own & mine.keys()


@pytest.mark.requirement("PIPE-06")
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_debezium_writes_to_the_declared_topic(table: Table) -> None:
    source = configurations(SETTINGS)["millrace-reference"]
    replacement = source["transforms.name.replacement"].replace("$1", r"\1")
    routed = re.sub(source["transforms.name.regex"], replacement, f"millrace.reference.{table.name}")
    assert routed == table.cdc_topic
    assert source["topic.creation.default.partitions"] == str(PARTITIONS)


@pytest.mark.requirement("PIPE-06")
def test_the_publication_has_the_declared_tables_and_their_fields() -> None:
    made = sorted(path for path in MIGRATIONS.glob("*publication*.sql") if "rollback" not in path.name)
    publication = "".join(path.read_text() for path in made)
    published = dict(re.findall(r"^reference\.(\w+)(?: \(([\w, ]+)\))?[,;]?$", publication, re.MULTILINE))
    assert list(published) == [table.name for table in TABLES]
    for table in TABLES:
        if columns := published[table.name]:
            assert columns.split(", ") == list(table.message.model_fields)


PROJECTIONS = [topic for topic in TOPICS if topic.kind is Kind.PROJECTION]


@pytest.mark.requirement("PIPE-07", "DLR-08", "DLR-10")
def test_every_projection_has_a_sink() -> None:
    sinks = [sink["topics"] for sink in configurations(SETTINGS).values() if "topics" in sink]
    assert sorted(sinks) == sorted(topic.name for topic in PROJECTIONS)


@pytest.mark.requirement("PIPE-07", "DLR-08", "DLR-10")
@pytest.mark.parametrize("topic", PROJECTIONS, ids=lambda topic: topic.name)
def test_a_projections_table_has_a_column_for_every_field(topic: Topic) -> None:
    (sink,) = (each for each in configurations(SETTINGS).values() if each.get("topics") == topic.name)
    tables = "".join(path.read_text() for path in sorted(MIGRATIONS.glob("*projection.sql")))
    name = re.escape(sink["collection.name.format"])
    (body,) = re.findall(rf"CREATE TABLE {name} \((.*?)\n\);", tables, re.DOTALL)
    (message,) = topic.messages
    assert re.findall(r"^    (\w+) ", body, re.MULTILINE) == [field.name for field in declared(message)]


@pytest.mark.requirement("DLR-10", "PIPE-15")
def test_a_sink_of_personal_data_does_not_tell_postgres_details_of_a_row_that_it_refuses() -> None:
    assert configurations(SETTINGS)["millrace-dealers"]["connection.url"] == (
        f"{configurations(SETTINGS)['millrace-balances']['connection.url']}&logServerErrorDetail=false"
    )


def test_what_differs_is_named() -> None:
    assert differing({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ("b", "c")
    assert differing(None, {"a": "1"}) == ()


def test_of_a_trace_the_innermostinnermost_cause_is_told() -> None:
    trace = "Outer: the task ended\n\tat x.Y\nCaused by: Middle: no\n\tat z\nCaused by: Inner: no table\n\t... 3 more"
    assert innermost_cause(trace) == "Inner: no table"
    assert innermost_cause("Outer: alone\n\tat x.Y") == "Outer: alone"


SINKS = [name for name, each in configurations(SETTINGS).items() if "topics" in each]


@pytest.mark.requirement("PIPE-07")
def test_a_sink_asks_for_a_schema_once_so_that_a_registry_that_is_away_seldom_stops_it() -> None:
    """By default it asks again after 30 s, and Connect takes a registry that does not answer for a bad record."""
    for name in SINKS:
        configuration = configurations(SETTINGS)[name]
        years = int(configuration["value.converter.apicurio.registry.check-period-ms"]) / 1_000 / 86_400 / 365
        assert years >= 10
        assert configuration["value.converter.apicurio.registry.fault-tolerant-refresh"] == "true"


@pytest.mark.requirement("PIPE-07")
def test_a_sink_stops_at_what_it_cannot_read_unless_a_person_lets_it_bury_that() -> None:
    stopping, burying = configurations(SETTINGS), configurations(SETTINGS, unreadable=Unreadable.BURY)
    assert stopping.keys() == burying.keys()
    for name in SINKS:
        assert stopping[name]["errors.tolerance"] == "none"
        assert differing(stopping[name], burying[name]) == (
            "errors.deadletterqueue.context.headers.enable",
            "errors.deadletterqueue.topic.name",
            "errors.deadletterqueue.topic.replication.factor",
            "errors.tolerance",
        )
    assert stopping["millrace-reference"] == burying["millrace-reference"]
