"""Settings come from the environment and reach every client."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.runtime import Settings


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_WORKER", "ledger-3")
    monkeypatch.setenv("MILLRACE_BATCH_RECORDS", "500")
    settings = Settings()
    assert (settings.worker, settings.batch_records) == ("ledger-3", 500)


def test_a_request_must_time_out_before_its_transaction() -> None:
    settings = Settings(transaction_timeout_s=4.0)
    assert settings.request_timeout_s < settings.transaction_timeout_s


@pytest.mark.requirement("PIPE-03")
@pytest.mark.parametrize("session_timeout_s", [1.0, 2.0, 6.0, 45.0])
def test_a_session_outlives_three_heartbeats(session_timeout_s: float) -> None:
    settings = Settings(session_timeout_s=session_timeout_s)
    assert 3 * settings.heartbeat_s < settings.session_timeout_s


@pytest.mark.requirement("PIPE-03")
def test_a_dead_workers_transaction_ends_with_its_session() -> None:
    settings = Settings()
    assert settings.transaction_timeout_s <= settings.session_timeout_s


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_SNAPSHOTS", "")
    assert Settings().snapshots is None


@pytest.mark.requirement("PIPE-15")
def test_security_properties_of_a_file_reach_every_client(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# of the cluster\nsecurity.protocol = SASL_SSL\nsasl.password=a=b\n\n")
    client = Settings(kafka_properties=file).client("broker:9092", client_id="worker")
    assert {"bootstrap.servers": "broker:9092", "security.protocol": "SASL_SSL", "sasl.password": "a=b",
            "client.id": "worker"}.items() <= client.items()  # fmt: skip


def test_a_worker_with_a_wrong_setting_says_which_and_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_CLOCK", "church")
    monkeypatch.setenv("MILLRACE_WORKER", "w1")
    told = CliRunner().invoke(main, ["worker"])
    assert (told.exit_code, told.output) == (2, "Error: MILLRACE_CLOCK is wrong: Input should be 'own' or 'outside'\n")
