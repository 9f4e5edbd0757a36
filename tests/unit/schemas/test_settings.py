"""Settings of the whole system."""

from pathlib import Path

import pytest

from schemas.settings import Settings, WrongSetting, read


@pytest.mark.requirement("PIPE-15")
def test_every_client_shows_the_cluster_who_it_is(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# of the cluster\nsecurity.protocol = SASL_SSL\nsasl.password=${a}=b\n\n")
    client = Settings(kafka="broker:9092", kafka_properties=file).client(client_id="teller")
    assert {"bootstrap.servers": "broker:9092", "security.protocol": "SASL_SSL", "sasl.password": "${a}=b",
            "client.id": "teller"}.items() <= client.items()  # fmt: skip


@pytest.mark.requirement("PIPE-15")
def test_properties_that_are_not_there_are_refused_and_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_KAFKA_PROPERTIES", "/run/secrets/mistyped")
    with pytest.raises(WrongSetting, match="MILLRACE_KAFKA_PROPERTIES is wrong: Path does not point to a file"):
        read(Settings)


@pytest.mark.requirement("DLR-01", "PRI-11")
@pytest.mark.parametrize("field", ["BILLING", "GENERAL_LEDGER"])
@pytest.mark.parametrize("address", ["billing:8080", "127.0.0.1:18091", "", "http:// "])
def test_an_address_that_could_only_be_tried_for_ever_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, field: str, address: str
) -> None:
    monkeypatch.setenv(f"MILLRACE_{field}", address)
    with pytest.raises(WrongSetting, match=f"^MILLRACE_{field} is wrong: "):
        read(Settings)
