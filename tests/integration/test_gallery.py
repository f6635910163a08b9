"""The gallery: forty-one names, every mail in it, and what is written is what the table says."""

import struct
from collections import Counter
from pathlib import Path

import pytest
from support import gallery
from support.gallery_list import MAILS, PICTURES, chosen

EMAILS = Path(__file__).parents[2] / "templates" / "email"


def test_forty_one_pictures_with_names_of_their_own() -> None:
    assert len(PICTURES) == 41
    assert len({picture.name for picture in PICTURES}) == 41


def test_every_mail_is_there_narrow_and_light_wide_and_dark() -> None:
    kinds = {folder.name for folder in EMAILS.iterdir() if folder.is_dir()} - {"digest"}
    kinds |= {"daily", "weekly", "catch-up", "first"}
    looks = Counter((p.mail, p.width, p.look) for p in PICTURES)
    for kind in kinds:
        assert looks[kind, 360, "light"] == looks[kind, 1200, "dark"] == 1, kind
    assert {(p.width, p.look) for p in PICTURES if p.mail == "daily"} >= {
        (width, look) for width in (360, 600, 1200) for look in ("light", "dark")
    }
    assert {"no-images", "zoom-200", "outlook-dark"} < {p.look for p in PICTURES}
    assert {"daily-german", "daily-right-to-left"} < set(MAILS)


def test_words_choose_pictures_and_a_wrong_one_names_the_mails() -> None:
    assert len(chosen("")) == 41
    assert [p.name for p in chosen("quiet")] == ["quiet-360-light", "quiet-1200-dark"]
    assert [p.name for p in chosen("daily-zoom alarm-1200")] == [
        "alarm-1200-dark",
        "daily-zoom-200",
    ]
    with pytest.raises(ValueError, match=r"No picture is called dialy\. Mails: daily, weekly"):
        chosen("daily dialy")


@pytest.mark.slow
@pytest.mark.browser
def test_some_of_it_is_made_from_the_bundled_day(
    chromium: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["quiet", "daily-600", "trending-images-off"]
    left = tmp_path / "gone.png"
    left.touch()
    monkeypatch.setattr(gallery, "CAPTURES", tmp_path / "elsewhere")
    assert gallery.main(["--out", str(tmp_path), *words]) == 0
    said = capsys.readouterr().out
    assert said.startswith("From the bundled sample day (no captures at ")
    assert "\n5 pictures in " in said
    names = [picture.name for picture in chosen(" ".join(words))]
    written = {f"{name}.{end}" for name in names for end in ("html", "txt", "png")}
    assert {path.name for path in tmp_path.iterdir()} == written | {"index.html"}
    index = (tmp_path / "index.html").read_text()
    for name in names:
        for end in ("html", "txt", "png"):
            assert f'"{name}.{end}"' in index
    for name, width in (("quiet-360-light", 360), ("daily-600-dark", 600)):
        assert struct.unpack(">I", (tmp_path / f"{name}.png").read_bytes()[16:20]) == (width,)
    pictured = (tmp_path / "trending-images-off-360-light.html").read_text()
    assert 'alt=""' not in pictured, "the bundled day names no pictures of papers"
    assert (
        "papers checked, none contained your words."
        in (tmp_path / "quiet-360-light.txt").read_text()
    )


def test_a_wrong_word_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert gallery.main(["dialy"]) == 2
    assert capsys.readouterr().err.startswith("No picture is called dialy.")
