"""A mailbox beyond ASCII is called what it is, and no nonsense."""

import pytest
from email_validator import EmailNotValidError

from service.subscribers import address
from service.subscribers.address import AddressError, read_address


@pytest.mark.parametrize("typed", ["jörg@example.org", "用户@例子.广告", "<Ünal@bücher.example>"])
def test_letters_beyond_ascii_before_the_at_are_refused_with_that_reason(typed: str) -> None:
    with pytest.raises(AddressError, match="letters beyond ASCII") as caught:
        read_address(typed)
    assert "plain letters" in str(caught.value.next_step)


@pytest.mark.parametrize("typed", ["ü b@example.org", "jörg@", "ö@@example.org"])
def test_what_is_no_mailbox_anywhere_is_called_so(typed: str) -> None:
    with pytest.raises(AddressError, match="is not an address"):
        read_address(typed)


def test_a_domain_beyond_ascii_needs_none_of_it() -> None:
    assert read_address("Ada@bücher.example").email == "Ada@xn--bcher-kva.example"


@pytest.mark.parametrize("domain", ["example.org", "EXAMPLE.org", "bücher.example", "x..org", ""])
@pytest.mark.parametrize(
    "local", ["ann", "a.b-c_d+e", "a..b", ".a", "a.", "Ann", "Postmaster", "ab" * 40, "ü", '"a b"']
)
def test_what_is_known_of_a_domain_changes_no_answer(local: str, domain: str) -> None:
    typed = f"{local}@{domain}"
    try:
        found = address._validated(typed)
    except EmailNotValidError:
        with pytest.raises(AddressError):
            read_address(typed)
        return
    host = found.ascii_domain or found.domain
    assert read_address(typed).email == f"{found.local_part}@{host}"
