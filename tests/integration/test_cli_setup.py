"""``setup`` on a fresh folder: defaults, answers, a relay that refuses, and again."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.polling import hf_item, hf_lists, lead_home
from support.smtp_server import FEATURES, SmtpServer, reply
from support.tls import TlsAuthority, make_authority
from support.web_site import WebSite
from typer.testing import CliRunner, Result

from service import wiring
from service.cli import setup_questions as questions
from service.cli.env_file import quoted, write_env
from service.cli.program import app
from service.errors import PaperpostError
from service.flows import asking
from service.settings import load_settings
from service.sources.fetch import Fetcher


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    """The house asks the test's own site, and nothing else."""
    with WebSite() as made:
        lead_home(made, monkeypatch)

        def fetcher(user_agent: str, **values: object) -> Fetcher:
            return Fetcher(user_agent, **{**values, "allow_private": True})  # type: ignore[arg-type]

        monkeypatch.setattr(wiring, "Fetcher", fetcher)
        monkeypatch.setattr(asking, "GAPS", {})
        monkeypatch.setattr(asking, "HOST_GAP", timedelta())
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: WebSite) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA_DIR", "DATABASE_URL", "SMTP_URL", "BASE_URL", "SECRET_KEY"):
        monkeypatch.delenv(f"PAPERPOST_{name}", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def tls_authority(tmp_path_factory: pytest.TempPathFactory) -> TlsAuthority:
    return make_authority(tmp_path_factory.mktemp("tls"))


def run(*arguments: str, answers: list[str] | None = None) -> Result:
    given = None if answers is None else "\n".join(answers) + "\n"
    return CliRunner().invoke(app, list(arguments), input=given)


@pytest.mark.slow
def test_every_default_without_a_question(folder: Path) -> None:
    result = run("setup", "--yes")
    assert result.exit_code == 0, result.output
    env = folder / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    settings = load_settings(env)
    assert settings.secret_key is not None
    assert len(settings.secret_key.get_secret_value()) >= 32
    assert settings.uses_mailbox
    assert (settings.signup, settings.site_name) == ("open", "Paperpost")
    assert "5 sources added" in result.output
    assert "asked again by run" in result.output  # the site has no lists: said, and no failure
    assert "/admin/" in result.output
    assert (folder / "var" / "paperpost.db").is_file()


@pytest.mark.slow  # a second or more
def test_answers_are_kept_and_the_papers_come_in(folder: Path, site: WebSite) -> None:
    lists = {"2026-11-18": [hf_item("2611.00001", "A paper", "2026-11-18")]}

    def any_day(query: dict[str, str], headers: dict[str, str]) -> Any:
        return hf_lists({query.get("date", ""): lists["2026-11-18"]})(query, headers)

    site.at["/api/daily_papers"] = any_day
    readers = folder / "readers.csv"
    readers.write_text("email,keywords\neva@example.org,glacier\nno-address,x\n")
    result = run(
        "setup",
        answers=[
            "Ada's papers",
            "Example University",
            "papers@example.org",
            "127.0.0.1:8000",
            "Europe/Zurich",
            "mailbox:",
            "a.edu, @b.org",
            "robotics",
            "Ada Byron",
            "readers.csv",
        ],
    )
    assert result.exit_code == 0, result.output
    settings = load_settings(folder / ".env")
    assert settings.site_name == "Ada's papers"
    assert (settings.timezone, settings.signup) == ("Europe/Zurich", "domains:a.edu,b.org")
    assert "1 reader added, 1 row with a problem" in result.output
    assert "Hugging Face Daily Papers: " in result.output
    listed = run("subscribers", "list", "--json")
    assert "eva@example.org" in listed.output
    sources = run("sources", "list", "--json")
    assert "cs.RO" in sources.output
    assert run("admin", "create", "Ada Byron", "--role", "nobody").exit_code != 0


def test_the_relay_is_spoken_to_at_once(folder: Path) -> None:
    with SmtpServer() as server:
        server.on("DOT", reply("250 2.0.0 queued as 4D5E6F", record=True))
        result = run(
            "setup",
            answers=[
                "", "", "papers@example.org", "", "UTC", f"smtp://127.0.0.1:{server.port}",
                "papers@example.org", "papers@example.org", "closed", "none", "none", "later",
            ],
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "220 test.example ESMTP" in result.output
    assert "Accepted: 250 2.0.0 queued as 4D5E6F" in result.output
    assert [mail.recipient for mail in server.accepted] == ["papers@example.org"]
    assert load_settings(folder / ".env").signup == "closed"


def test_a_relay_that_cannot_be_reached_is_asked_for_again(folder: Path) -> None:
    result = run(
        "setup",
        answers=["", "", "", "", "UTC", "ftp://x", "smtp://127.0.0.1:9", "papers@example.org", "y",
                 "mailbox:", "", "none", "none", "later"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "begins with no way to a relay" in result.output
    assert "cannot be reached" in result.output
    assert load_settings(folder / ".env").uses_mailbox


@pytest.mark.slow  # a whole setup
def test_input_that_ends_takes_the_defaults(folder: Path) -> None:
    result = run("setup", answers=["My papers"])
    assert result.exit_code == 0, result.output
    assert load_settings(folder / ".env").site_name == "My papers"


def test_a_public_address_needs_a_relay_or_nothing_is_written(folder: Path) -> None:
    result = run("setup", answers=["", "", "", "https://papers.example.org", "UTC"])
    assert isinstance(result.exception, PaperpostError)
    assert "PAPERPOST_SMTP_URL" in str(result.exception)
    assert not (folder / ".env").exists()


@pytest.mark.slow  # a second or more
def test_again_keeps_the_answers_and_what_was_written_by_hand(folder: Path) -> None:
    run("setup", answers=["First name", "Org", "", "", "Europe/Paris", "", "", "none", "none", ""])
    env = folder / ".env"
    before = load_settings(env)
    env.write_text(env.read_text() + "# by hand\nPAPERPOST_PRIVACY_URL=https://example.org/p\n")
    result = run("setup", "--yes")
    assert result.exit_code == 0, result.output
    after = load_settings(env)
    assert after.model_dump(exclude={"privacy_url"}) == before.model_dump(exclude={"privacy_url"})
    assert after.privacy_url == "https://example.org/p"
    assert "# by hand" in env.read_text()
    assert env.read_text().count("PAPERPOST_SITE_NAME=") == 1


@pytest.mark.parametrize(
    "value",
    ["plain", 'Ada\'s "own" # papers', "a\\b", "päper $HOME", "smtp://u:p%40@h:587", "", "x'"],
)
def test_values_come_back_from_env_as_they_were(tmp_path: Path, value: str) -> None:
    env = tmp_path / ".env"
    write_env(env, {"SITE_NAME": value, "ORG_NAME": "other"})
    write_env(env, {"SITE_NAME": value})
    made = load_settings(env)
    assert (made.site_name, made.org_name) == (value, "other")


def test_a_value_that_would_be_replaced_is_refused() -> None:
    assert quoted("plain") == "plain"
    with pytest.raises(PaperpostError, match="cannot hold"):
        quoted("a ${HOME}")


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ("1", ["machine_learning"]),
        ("2, 7", ["robotics", "mathematics"]),
        ("phys", ["physics"]),
        ("Biology;biology", ["biology"]),
        ("none", []),
    ],
)
def test_fields_by_number_and_name(answer: str, fields: list[str]) -> None:
    assert questions.chosen_fields(answer) == fields


def test_a_field_that_is_misspelt_is_guessed() -> None:
    with pytest.raises(PaperpostError) as caught:
        questions.chosen_fields("statistiks")
    assert 'Did you mean "statistics"?' in str(caught.value)


@pytest.mark.parametrize("password", ["hunter2", "hun@ter2", "hun/ter2", "hun:t@er#2", ":@/@"])
@pytest.mark.parametrize("user", ["me", "me@uni.example"])
def test_a_password_is_never_shown(user: str, password: str) -> None:
    assert questions.without_password(f"smtps://{user}:{password}@smtp.example:465") == (
        f"smtps://{user}:…@smtp.example:465"
    )


def test_a_name_that_env_cannot_hold_is_asked_again_at_once(folder: Path) -> None:
    result = run(
        "setup",
        answers=["Papers ${HOME}", "Papers", "", "", "", "UTC", "mailbox:", "", "none", "none", ""],
    )
    assert result.exit_code == 0, result.output
    assert '"${"' in result.output
    assert "relay" not in result.output.partition("2 Public")[0]  # its hint is for its own answer
    assert load_settings(folder / ".env").site_name == "Papers"


@pytest.mark.parametrize(
    ("read", "answer", "hint"),
    [
        (questions.web_address, "not a url at all", "https://papers.example.org"),
        (questions.web_address, "papers.example.org/?x=1", "https://papers.example.org"),
        (questions.web_address, "127.0.0.1:99999", "https://papers.example.org"),
        (questions.relay_url, "me:p@ss@smtp.example", "%40"),
        (questions.relay_url, "smtp://me:1/ss@smtp.example", "%2F"),
        (questions.relay_url, "smtp://me:${x}@smtp.example", "%24"),
    ],
)
def test_answers_that_would_fail_later_are_asked_again(read: Any, answer: str, hint: str) -> None:
    with pytest.raises(PaperpostError, match=r"PAPERPOST_|cannot hold") as caught:
        read(answer)
    assert hint in caught.value.next_step
    assert "ss@" not in str(caught.value)


def test_a_bare_name_gets_its_scheme() -> None:
    assert questions.web_address("127.evil.example") == "https://127.evil.example"
    assert questions.web_address("127.0.0.1:8000/") == "http://127.0.0.1:8000"
    assert questions.web_address("localhost:8000") == "http://localhost:8000"


def test_a_private_authority_is_asked_for_and_kept(
    folder: Path, tls_authority: TlsAuthority
) -> None:
    with SmtpServer(
        tls=tls_authority.context(), implicit_tls=True, features=(*FEATURES, "AUTH PLAIN")
    ) as server:
        relay = f"smtps://me:pw@localhost:{server.port}"
        result = run(
            "setup",
            answers=["", "", "", "", "UTC", relay, "papers@example.org", "nowhere.pem",
                     str(tls_authority.file), "", "", "", "closed", "none", "none", "later"],
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "unknown authority (Uni CA)" in result.output
    assert "nowhere.pem cannot be read" in result.output
    assert "(TLSv1" in result.output
    assert load_settings(folder / ".env").signup == "closed"
    assert load_settings(folder / ".env").smtp_ca_file == tls_authority.file


@pytest.mark.slow  # a whole setup
def test_an_authority_of_the_environment_is_written_down(
    folder: Path, tls_authority: TlsAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERPOST_SMTP_CA_FILE", str(tls_authority.file))
    assert run("setup", "--yes").exit_code == 0
    monkeypatch.delenv("PAPERPOST_SMTP_CA_FILE")
    assert load_settings(folder / ".env").smtp_ca_file == tls_authority.file
