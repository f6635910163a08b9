"""Readers by hand on the command line: tags, acts on many, an address, lists of others."""

import pytest
from support.command import Shell

LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,ada@example.org,Ada,"{""interests"": [""LoRA""]}",enabled,2024-05-01,2024-05-01\n'
    "u2,ben@example.org,Ben,{},blocklisted,2024-05-01,2024-05-01\n"
)


@pytest.mark.slow
def test_a_list_of_listmonk_its_tags_and_its_undoing(tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    (tmp_path / "list.csv").write_text(LISTMONK)
    unsaid = shell.say("subscribers", "import", "list.csv")
    assert (unsaid.code, "basis of consent" in unsaid.err) == (2, True)
    basis = ("--basis", "elsewhere", "--basis-words", "our listmonk")
    tried = shell.say("subscribers", "import", "list.csv", *basis, "--dry-run")
    assert tried.code == 0
    assert "listmonk export, 2 rows" in tried.out
    assert "status blocklisted -> suppressed: 1" in tried.out
    assert shell.say("imports", "list", "--json").json == []
    done = shell.say("subscribers", "import", "list.csv", *basis, "--tags", "Lab", "--json").json
    assert (done["readers"], done["barred"]) == (1, 1)
    (row,) = shell.say("subscribers", "list", "--tag", "lab", "--json").json
    assert (row["email"], row["tags"]) == ("ada@example.org", ["lab"])
    shown = shell.say("subscribers", "show", "ada@example.org").out
    assert "tags: lab" in shown
    assert "came by a list" in shown
    assert shell.say("subscribers", "tag", "staff", "--segment", "tag:lab").code == 0
    assert shell.say("tags", "rename", "staff", "lab", "--json").json == {
        "tag": "lab",
        "readers": 1,
    }
    assert shell.say("subscribers", "untag", "lab", "--email", "ada@example.org").code == 0
    assert shell.say("tags", "list", "--json").json == []
    assert shell.say("subscribers", "rename", "ada@example.org", "Ada Ek").code == 0
    assert shell.say("subscribers", "act", "pause", "--search", "ada@").out.startswith("1 reader")
    wrong = shell.say("subscribers", "act", "erase", "--search", "ada@", "--yes", "2")
    assert (wrong.code, "1 reader, not 2" in wrong.err) == (1, True)
    assert shell.say("subscribers", "move", "ada@example.org", "ek@example.org").code == 0
    told = shell.say("imports", "undo", "1", "--json").json
    assert told == {"import": 1, "unmailed": 0}, "they were told of their new address"
    assert shell.say("subscribers", "unsubscribe", "ek@example.org", "--reason", "asked").code == 0
    rows = shell.say("subscribers", "export", "--state", "left", "--json").json
    assert [one["email"] for one in rows] == ["ek@example.org"]
