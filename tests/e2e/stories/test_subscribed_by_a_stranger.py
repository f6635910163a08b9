"""A stranger types somebody's address: one mail at most, nothing typed in it, and an end to it."""

from pathlib import Path

from support.reading_house import path_in, reading_house, text_of


def test_the_victim_gets_one_mail_and_can_end_it_for_ever(tmp_path: Path) -> None:
    with reading_house(tmp_path) as house:
        form = {"email": "victim@uni.example", "words": "buy at evil.example", "hour": "03"}
        answers = {house.client.post("/", data=form).text for _ in range(20)}
        assert len(answers) == 1
        assert house.send() == 1
        mail = house.mails("victim@uni.example")[0]
        assert "evil" not in mail.as_string()
        assert "We will not write again" in text_of(mail)
        confirm, never = path_in(mail, "confirm"), path_in(mail, "never")
        for _ in range(5):  # scanners open both links
            house.client.get(confirm)
            house.client.get(never)
        assert house.reader("victim@uni.example").state == "pending"
        house.client.post(never)
        house.clock.go(days=3)
        house.client.post("/", data=form)
        assert house.send() == 0
        everything = repr(house.tables()["subscriber"]) + repr(house.tables()["suppression"])
        assert "victim@uni.example" not in everything
