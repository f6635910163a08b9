"""The doctor asks a name server on loopback, or reads a file, about our sender."""

import json
from pathlib import Path

import pytest
from support.command import Shell
from support.dkim_keys import make_key, records
from support.dns_stub import DnsStub
from support.smtp_server import SmtpServer

from service.delivery.dkim import keys_of

SENDER = "papers@uni.example"


def lines(shell: Shell, *more: str) -> dict[str, tuple[str, str, str]]:
    said = shell.say("doctor", *more, "--json")
    return {row["check"]: (row["state"], row["says"], row["next"]) for row in json.loads(said.out)}


@pytest.mark.slow
def test_records_of_the_dns_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_key(tmp_path / "m1.pem", "ed25519")
    keys = keys_of(f"m1={file}", SENDER)
    assert keys is not None
    answers: dict[tuple[str, str], list[str]] = {
        **records(keys),
        ("uni.example", "TXT"): ['"v=spf1 ip4:192.0.2.1 -all"'],
        ("_dmarc.uni.example", "TXT"): ['"v=DMARC1; p=quarantine"'],
    }
    with SmtpServer() as server, DnsStub(answers) as stub:
        shell = Shell(
            tmp_path, monkeypatch, SMTP_URL=f"smtp://127.0.0.1:{server.port}",
            MAIL_FROM=SENDER, NAMESERVER=stub.server, DKIM_KEYS=f"m1={file}",
        )  # fmt: skip
        found = lines(shell)
        assert [found[name][0] for name in ("SPF", "DKIM", "DMARC")] == ["ok", "ok", "ok"]
        del stub.records["m1._domainkey.uni.example", "TXT"]
        level, says, step = lines(shell)["DKIM"]
        assert (level, "no record" in says) == ("fail", True)
        assert keys.keys[0].record in step


def test_a_file_takes_the_place_of_the_dns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = tmp_path / "records.zone"
    zone.write_text('uni.example. TXT "v=spf1 -all"\n_dmarc.uni.example. TXT "v=DMARC1; p=none"\n')
    shell = Shell(tmp_path, monkeypatch, MAIL_FROM=SENDER)
    assert "SPF" not in lines(shell)  # loopback: nobody is asked
    found = lines(shell, "--dns", str(zone))
    assert [found[name][0] for name in ("SPF", "DKIM", "DMARC")] == ["ok", "ok", "ok"]
    file = make_key(tmp_path / "m1.pem", "ed25519")
    shell = Shell(tmp_path, monkeypatch, MAIL_FROM=SENDER, DKIM_KEYS=f"m1={file}")
    level, says, _ = lines(shell)["DKIM"]
    assert (level, "1 key of ours, no DNS is asked" in says) == ("ok", True)
    zone.write_text("")
    keys = keys_of(f"m1={file}", SENDER)
    assert keys is not None
    assert keys.keys[0].record in lines(shell, "--dns", str(zone))["DKIM"][2]
    zone.write_text("no zone at all\n")
    found = lines(shell, "--dns", str(zone))
    assert found["DNS"][0] == "fail"
    assert "cannot be read" in found["DNS"][1]
