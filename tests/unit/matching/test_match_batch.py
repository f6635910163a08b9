"""Profiles x papers without a database."""

from service.matching.batch import count_batch, match_batch
from service.matching.typed import read_signs

PROFILES = [
    {"id": "a", "query": "LoRA OR PEFT"},
    {"id": "bad", "query": "LoRA OR ("},
    {"id": "none"},
    {"id": "k", "keywords": "sparse attention, -survey"},
]
PAPERS = [
    {"id": "2511.00001", "title": "LoRA", "abstract": "sparse-attention", "authors": ["A B"]},
    {"id": "2511.00002", "abstract": "no title"},
    {"id": "x", "title": "A survey", "abstract": "sparse attention", "authors": [{"name": "C D"}]},
]


def test_lines_and_what_is_refused() -> None:
    refused: list[dict[str, object]] = []
    lines = list(match_batch(PROFILES, PAPERS, refused=refused))
    assert [(line["profile"], line["paper"]) for line in lines] == [
        ("a", "2511.00001"),
        ("k", "2511.00001"),
    ]
    assert lines[0]["hits"] == [{"term": "LoRA", "where": "title", "start": 0, "end": 4}]
    assert lines[0]["score"] > 0
    assert "parts" not in lines[0]
    assert [problem.get("profile", problem.get("paper")) for problem in refused] == [
        "bad",
        "none",
        "2511.00002",
    ]
    assert "character 9" in str(refused[0]["problem"])


def test_explain_adds_parts_that_add_up() -> None:
    line = next(match_batch(PROFILES, PAPERS, explain=True))
    assert abs(sum(line["parts"].values()) - line["score"]) < 0.001


def test_the_best_of_each_profile() -> None:
    papers = [
        {"id": "a", "title": "Nothing", "abstract": "One graph"},
        {"id": "b", "title": "Graph of graphs", "abstract": "graph graph"},
        {"id": "c", "title": "Graph"},
    ]
    profiles = [{"id": "p", "query": "graph"}, {"id": "q", "query": "nothing OR graph"}]
    every = sorted(match_batch(profiles, papers), key=lambda line: -line["score"])
    best = list(match_batch(profiles, papers, top=2))
    for name in ("p", "q"):
        assert [line for line in best if line["profile"] == name] == [
            line for line in every if line["profile"] == name
        ][:2]
    assert len(best) == 4 < len(every)


def test_count() -> None:
    ticks = iter([1.0, 3.5, 4.0])
    found = count_batch(PROFILES, PAPERS, cpu=lambda: next(ticks), peak_mb=lambda: 41.26)
    assert 100 < found.pop("bytes_per_profile") < 10_000
    assert found == {
        "profiles": 2,
        "refused": 2,
        "papers": 2,
        "matches": 2,
        "compile_s": 2.5,
        "match_cpu_s": 0.5,
        "index_mb": 0.0,
        "peak_mb": 41.3,
    }


def test_accents_of_tex_are_read_and_hits_lie_in_the_text_as_given() -> None:
    title = r"Erd\H{o}s and Schr\"odinger meet {\O}rsted, Garc\'{\i}a and Mo\v{c}nik"
    papers = [{"id": "1", "title": title, "authors": [r"L\'aszl\'o Lov\'asz"]}]
    profiles = [
        {"id": "a", "query": "Schrödinger OR Ørsted OR García"},
        {"id": "b", "query": r"Erd\H{o}s Mo\v{c}nik"},
        {"id": "c", "keywords": r"Schr\"odinger, Erdős"},
        {"id": "d", "query": "au:Lovász"},
        {"id": "e", "query": r"au:Lov\'asz"},
    ]
    found = {line["profile"]: line["hits"] for line in match_batch(profiles, papers)}
    assert set(found) == {"a", "b", "c", "d", "e"}
    marked = [title[hit["start"] : hit["end"]] for hit in found["a"]]
    assert marked == [r"Schr\"odinger", r"{\O}rsted", r"Garc\'{\i}a"]
    assert [title[hit["start"] : hit["end"]] for hit in found["b"]] == [
        r"Erd\H{o}s",
        r"Mo\v{c}nik",
    ]


def test_formulas_are_read_as_mails_show_them() -> None:
    title = "A $k$-means for GUI-C$^2$ on\n  $\\mathcal{L}_2$ spaces"
    abstract = r"An $\alpha$-divergence, \textbf{27.3\%} of SO$(3)$ in R{\'e}nyi's sense. The end."
    papers = [{"id": "1", "title": title, "abstract": abstract}]
    profiles = [
        {"id": "a", "keywords": "α-divergence"},
        {"id": "b", "keywords": "L₂ spaces, GUI-C²"},
        {"id": "c", "query": '"27.3%" Rényi'},
        {"id": "d", "keywords": "mathcal, textbf"},
        {"id": "e", "query": '"the end"'},
    ]
    found = {line["profile"]: line["hits"] for line in match_batch(profiles, papers)}
    texts = {"title": title, "abstract": abstract}
    marked = {
        name: [texts[hit["where"]][hit["start"] : hit["end"]] for hit in hits]
        for name, hits in found.items()
    }
    assert marked == {
        "a": [r"$\alpha$-divergence"],
        "b": ["GUI-C$^2$", "$\\mathcal{L}_2$ spaces"],
        "c": [r"27.3", r"R{\'e}nyi"],
        "e": ["The end"],
    }


def test_fonts_of_tex_in_a_query_are_read_and_faults_keep_their_place() -> None:
    assert read_signs(r"\textbf{M}odels of \emph{latent} \textit{space}").text == (
        "Models of latent space"
    )
    typed = read_signs(r"\emph{latent} x")
    assert typed.place(typed.text.index("x") + 1) == len(r"\emph{latent} x")


def test_quotes_that_a_shell_left_escaped_are_no_accents() -> None:
    typed = r"\"attention maps\""
    assert read_signs(typed).text == typed
