"""TeX to readable Unicode."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.captures import shared_data

from service.text.tex import read_powers, to_unicode

TURNED = [
    ("GUI-C$^2$", "GUI-C²"),
    ("$x^2$", "x²"),
    (r"$\alpha$-divergence", "α-divergence"),
    (r"1$\to$N", "1→N"),
    (r"K\"{a}hler", "Kähler"),
    (r"Erd\H{o}s, \v{C}ech, {\L}ukasz, Garc\'\i a", "Erdős, Čech, Łukasz, García"),
    (r"\'Ecole", "École"),
    (r"27.3\% and 100% of", "27.3% and 100% of"),
    (r"O($n \log n$)", "O(n log n)"),
    (r"$10^{-3}$ H$_2$O $x_{max}$ $e^{-x}$", "10⁻³ H₂O x_max e^(-x)"),
    (r"$\mathbb{R}^n$ $\mathcal{L}$ $\mathbf{x}$", "ℝⁿ L x"),
    (r"$\frac{1}{2}$ $\frac{a+b}{c}$ $\sqrt{2}$ $\sqrt{a+b}$", "1/2 (a+b)/c √2 √(a+b)"),
    (r"90$^\circ$C", "90°C"),
    (r"\textbf{bold} and \emph{plain}", "bold and plain"),
    (r"\highlight{kept} \unknown{}", r"kept \unknown"),
    (r"we propose \ours, a", "we propose ours, a"),
    ("``quoted'' text", "“quoted” text"),
    ("Fig.~1 and ~10x", "Fig. 1 and ~10x"),
    (r"yields $<$5% and 2.7$\times$ gap", "yields <5% and 2.7× gap"),
    (r"$\times$ over, $200 \times 3$", "× over, 200×3"),
    (r"\fracγ2", r"γ/2"),
    (r"accuracy of $54.5%$, by $14.2$ points", "accuracy of 54.5%, by 14.2 points"),
    (r"see \url{https://a.example/c_d} \cite{x}", "see https://a.example/c_d"),
    (r"$\det U$ and $\left( x \right)$", "det U and ( x )"),
    ("𝐛𝐨𝐥𝐝 ℓ", "bold ℓ"),
    (r"\emph{a} B^2 ~3 --flag", "a B^2 ~3 --flag"),
    (r"an {unbalanced 27.3\% of", "an {unbalanced 27.3% of"),
    (
        "{BERT}: {Deep Learning} for {B}ayesian {k}-means",
        "BERT: Deep Learning for Bayesian k-means",
    ),
    ("12{,}553 R{ö}der r{=}{-}1 FID{}=2", "12,553 Röder r=-1 FID=2"),
    (r"x_{max} 10^{-3} \foo{a}{b} \emph {x} {\bf y}", "x_max 10^-3 ab x y"),
    (r"{0} of $x^2$ in {\em two} sets {1, 2}", "{0} of x² in two sets {1, 2}"),
]

AS_TYPED = [
    "100% of A_1 and B^2 with #hash & R&D",
    "costs $5 to $10 per hour",
    "from $5-$10",
    "a $5,000 budget and a $10,000 cap",
    r"Unbalanced { brace \frac{1}{2",
    r"C:\new\table",
    "<think> and <EOS>",
    "run --verbose",
    "\\",
    "$",
    "{}",
    "{{ 7*7 }} and {{ User.name }} and {{name}}",
    "{0} of {silent} parts, {} and ({-1, 0, 1})",
    "En→{De, It, Zh} by Qwen3-{4B, 8B} in min{n, m}",
    "",
]


@pytest.mark.parametrize(("typed", "shown"), TURNED)
def test_tex_is_turned(typed: str, shown: str) -> None:
    assert to_unicode(typed) == shown


@pytest.mark.parametrize("typed", AS_TYPED)
def test_what_is_no_tex_stays(typed: str) -> None:
    assert to_unicode(typed) == typed


def test_one_broken_formula_does_not_spoil_the_others() -> None:
    shown = to_unicode(r"A {broken group with $x^2$ and $\alpha$ inside")
    assert "x²" in shown
    assert "α" in shown


@given(st.text(alphabet=st.sampled_from("\\${}^_~%&#ab 1()\n'`\"-éα"), max_size=60))
def test_any_text_comes_back_on_one_line(text: str) -> None:
    shown = to_unicode(text)
    assert "\n" not in shown
    assert shown == " ".join(shown.split())


def test_real_titles_and_abstracts_keep_no_tex() -> None:
    rows = _real_tex(shared_data(), limit=80)
    shown = [to_unicode(row) for row in rows]
    left = [text for text in shown if re.search(r"\\[a-z]{3,}\{|\$\\", text)]
    assert len(rows) == 80
    assert len(left) <= 2
    assert not any(0x1D400 <= ord(char) <= 0x1D7FF for text in shown for char in text)


def _real_tex(shared: Path, limit: int) -> list[str]:
    found: list[str] = []
    path = shared / "arxiv_corpus" / "arxiv_daily_2026-05-25_2026-06-19.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            paper = json.loads(line)
            found += [text for text in (paper["title"], paper["summary"]) if "$" in text]
            if len(found) >= limit:
                break
    return found[:limit]


def test_long_runs_of_plain_words_pass_the_parser_as_one() -> None:
    plain = " and a long run of plain words, (well-known) ones: no TeX at all"
    assert to_unicode(rf"\emph{{A{plain}}}{plain}") == f"A{plain}{plain}"
    assert to_unicode(rf"$\sqrt{{\text{{the{plain}}}}}$") == f"√(the{plain})"
    assert to_unicode(rf"\ours{plain} K\"ahler{plain}") == rf"\ours{plain} Kähler{plain}"
    assert to_unicode(f"\ue100 50\\%{plain}") == f"\ue100 50%{plain}"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("DA^2: 10^-3 x^{12}", "DA²: 10⁻³ x¹²"),
        ("FaSTA^*: a 360^circ view of A^2Search", "FaSTA*: a 360° view of A²Search"),
        ("5^2.5 a^N ^2 circ^circle", "5^2.5 a^N ^2 circ^circle"),
    ],
)
def test_powers_that_lost_their_dollars(typed: str, shown: str) -> None:
    assert read_powers(typed) == shown
