"""An engineer brings a journal's feed, looks at what is read, and nobody is flooded."""

import pytest
from support.command import Shell

FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
     xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/">
<channel><title>Journal of Invented Results</title>
{items}
</channel></rss>
"""
ITEM = """<item><title>Adapters in practice, part {n}</title>
<link>https://journal.example/articles/{n}?utm_source=rss</link>
<dc:creator>Ana Silva</dc:creator><dc:creator>Bo Chen</dc:creator>
<prism:doi>10.5555/jir.{n}</prism:doi>
<description>An invented result about adapters.</description>
<pubDate>Wed, 18 Nov 2026 08:00:00 GMT</pubDate></item>"""


@pytest.mark.slow  # a second or more
def test_engineer(tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    feed = tmp_path / "journal.xml"
    feed.write_text(FEED.format(items="".join(ITEM.format(n=n) for n in range(1, 6))))

    tried = shell.say("sources", "test", "feed", "--file", "journal.xml", "--json")
    assert tried.code == 0
    assert (tried.json["items"], tried.json["papers"]) == (5, 5)
    filled = {row["field"]: row["filled"] for row in tried.json["fields"]}
    assert filled["title"] == 5
    assert filled["authors"] == 5

    (tmp_path / "page.html").write_text("<html><body>Sign in</body></html>")
    wrong = shell.say("sources", "test", "feed", "--file", "page.html")
    assert wrong.code == 1
    assert wrong.err

    unknown = shell.say("sources", "add", "hf_dialy")
    assert unknown.code == 2
    assert "hf_daily" in unknown.err

    added = shell.say("sources", "add", "feed", "https://journal.example/rss", "--json")
    assert added.code == 0
    rows = shell.say("sources", "list", "--json").json
    assert [(r["kind"], r["what"]) for r in rows] == [("feed", "https://journal.example/rss")]

    shell.say("subscribers", "add", "ada@uni.example", "--keywords", "adapters", "--confirmed")
    history = shell.say("ingest", "--kind", "feed", "journal.xml", "--history", "--json")
    assert (history.json["new"], history.json["known"]) == (0, 5)
    on = "2026-11-18"
    assert shell.say("send", "daily", "--on", on, "--json").json["skipped"] == {"nothing_new": 1}
    found = shell.say("estimate", "--keywords", "adapters", "--json").json
    assert found["per_term"] == {"adapters": 5}

    assert shell.say("sources", "remove", str(rows[0]["id"])).code == 0
