"""What the receipts need of the settings is checked when they are read, not when the first receipt is made (PRI-13)."""

import pytest

from schemas.settings import Settings, WrongSetting, read

pytestmark = pytest.mark.requirement("PRI-13")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("smtp", "mail.example"),
        ("smtp", "mail.example:smtp"),
        ("mail_from", "prisons.example"),
        ("mail_from", "Receipts <receipts@prisons.example>"),
        ("mail_from", "=?x?q?a?=@prisons.example"),
    ],
)
def test_a_setting_with_which_no_receipt_could_be_sent_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str
) -> None:
    monkeypatch.setenv(f"MILLRACE_{field.upper()}", value)

    with pytest.raises(WrongSetting, match=f"^MILLRACE_{field.upper()} is wrong: "):
        read(Settings)


def test_a_mail_server_and_a_sender_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_SMTP", "mail.example:25")
    monkeypatch.setenv("MILLRACE_MAIL_FROM", "receipts@prisons.example")

    settings = Settings()

    assert (settings.smtp, settings.mail_from) == ("mail.example:25", "receipts@prisons.example")
