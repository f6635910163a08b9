"""TeX to readable Unicode."""

import gzip
import json
import re
import time
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
    (r"\highlight{kept} \unknown{} a\unknown b", r"kept unknown a\unknown b"),
    (r"we propose \ours, a", "we propose ours, a"),
    ("``quoted'' text", "“quoted” text"),
    ("Fig.~1 and ~10x", "Fig. 1 and ~10x"),
    (r"yields $<$5% and 2.7$\times$ gap", "yields <5% and 2.7× gap"),
    (r"$\times$ over, $200 \times 3$", "× over, 200×3"),
    (r"\fracγ2", r"γ/2"),
    (r"accuracy of $54.5%$, by $14.2$ points", "accuracy of 54.5%, by 14.2 points"),
    (r"see \url{https://a.example/c_d} \cite{x}", "see https://a.example/c_d"),
    (r"$\det U$ and $\left( x \right)$", "det U and (x)"),
    ("𝐛𝐨𝐥𝐝 ℓ", "bold ℓ"),
    (r"\emph{a} B^2 ~3 --flag", "a B² ~3 --flag"),
    (r"an {unbalanced 27.3\% of", "an {unbalanced 27.3% of"),
    (
        "{BERT}: {Deep Learning} for {B}ayesian {k}-means",
        "BERT: Deep Learning for Bayesian k-means",
    ),
    ("12{,}553 R{ö}der r{=}{-}1 FID{}=2", "12,553 Röder r=-1 FID=2"),
    (r"x_{max} 10^{-3} \foo{a}{b} \emph {x} {\bf y}", "x_max 10⁻³ ab x y"),
    (r"{0} of $x^2$ in {\em two} sets {1, 2}", "{0} of x² in two sets {1, 2}"),
]

READS_WELL = [
    (r"$n\ge 5$, $T \in \{1,2\}$, $x\in\mathbb{R}^n$", "n ≥ 5, T ∈ {1,2}, x ∈ ℝⁿ"),
    (r"$O(n\log n\log(M/\varepsilon))$ $\log\log n$", "O(n log n log(M/ε)) log log n"),
    (r"$c_{\mathrm{inf}}^{\mathrm{TGT}}k$ $r^mp^n$ $a_{h}u^{\top}$", "c_inf^TGT k r^m pⁿ a_h u^⊤"),
    (r"$e_{i_1}$ $D_{Ca_n}$ $L_{L^2}$ $x_{ij}$ $J_\pm$", "e_(i₁) D_(Ca_n) L_(L²) x_ij J_±"),
    (r"$\frac{1}{2βσ^2}$ $\frac{J}{2β}$ $\frac{d}{dt}h(x)$", "1/(2βσ²) J/(2β) d/dt h(x)"),
    (r"$\frac{1}{\sqrt{d}}$ $\tfrac{\log n}{(\log n)^2}$", "1/√d (log n)/((log n)²)"),
    (r"$\sqrt[3]{\frac{81}{65}} - \varepsilon\approx 1$", "∛(81/65) - ε ≈ 1"),
    (r"$\mathrm{A}^\star$ $d^{\star}$ $H^*$", "A⋆ d⋆ H*"),
    (r"$\widetilde{O}(k)$ $\widehat H$ $\overline{C}$ $b\bar{b}$", "Õ(k) Ĥ C̄ bb̄"),
    (r"$P(y=1 \mid x)$, $p( \cdot \mid z)$", "P(y=1 | x), p(· | z)"),
    (r"$\bigcup_{a\in A} C_a$ $2^{1 - \frac{1}{p}}$", "⋃_(a∈A) C_a 2^(1-1/p)"),
    (r"$\nabla V$, $\frac{\partial F}{\partial σ^2}$, $\pm e$", "∇V, (∂F)/(∂σ²), ±e"),
    (r"$\texttt{PUT}$ 10$\boldsymbol{\times}$ $\unicode{x2013}$", "PUT 10× –"),
    (r"\k{appa} = 0.9, \b{eta}, \k{a}, \r{a}, $\r_{keep}$", "κ = 0.9, β, ą, å, r_keep"),
    (
        r"\eg the, (\ie, this), \etc. So; UGC\xspace mass",
        "e.g. the, (i.e., this), etc. So; UGC mass",
    ),
    (r"retrieval \cite{a-b}. As in \citet{liu2024}, so", "retrieval. As in liu2024, so"),
    (r"videos\footnote{We mean ``all''.}. So", "videos (We mean “all”). So"),
    (r"{\color{red}(5) More} \textcolor{red}{less} {\bfseries(i)}", "(5) More less (i)"),
    (r"\hyperlink{https://a.example}{here} {\hypersetup{a=b}x}", "here x"),
    (
        r"\textbf{\ours}, (\ours) and \pct{}-based \MAPPO\ too",
        "ours, (ours) and pct-based MAPPO too",
    ),
    (
        r"pass\textasciicircum{}k Pass\^{}1 \textasciitilde 2 \LaTeX{} z \gt 5",
        "pass^k Pass¹ ~2 LaTeX z > 5",
    ),
    (r"z~10.6, (~11h), 2015~2023, M_V~-7, z>~6", "z~10.6, (~11h), 2015~2023, M_V~-7, z>~6"),
    (
        r"Fig.~1, 60~Hz, GPT~5, Task~2 and~(ii), J.~Doe",
        "Fig. 1, 60 Hz, GPT 5, Task 2 and (ii), J. Doe",
    ),
    (r"(1-t)^{-2/α} n^{1+o(1)} A_{1} (2^{128})", "(1-t)^(-2/α) n^(1+o(1)) A₁ (2¹²⁸)"),
    (r"mathcal{O}(d), 256{times}256, μ_{sim}, QK^top, λ^star", "O(d), 256×256, μ_sim, QK^⊤, λ⋆"),
    (r"418^+725_-310 but χ^2_ν and 1.8_-2^+3", "418^+725_-310 but χ²_ν and 1.8_-2^+3"),
    (r"$a=\operatorname{tr}H$ and \Rk{1}", "a=tr H and Rk1"),
    (r"so \begin{equation*} x^2 \end{equation*} is", "so x² is"),
    (r"\begin{align} x", r"\begin{align} x"),
    (r"R^2 of 0.9, p < 10^-6, JECA^2, O(n^2)", "R² of 0.9, p < 10⁻⁶, JECA², O(n²)"),
    (
        r"on Task~3.\footnote{Code at https://a.example/b",
        "on Task 3. (Code at https://a.example/b)",
    ),
    (
        r"as \textbf{Belief} with \footnote{never closed {",
        r"as Belief with \footnote{never closed {",
    ),
    (r"Task~1 { open \( \frac{1}{m} and", r"Task 1 { open \( \frac{1}{m} and"),
    (r"at https://a.example/x}{https://a.example/x.", "at https://a.example/x."),
    (r"\href{https://a.example/x}{https://a.example/x}.", "https://a.example/x."),
    (r"(\romannumeral2) then $16{\times}2$ and $f\colon A\to B$", "(ii) then 16×2 and f: A → B"),
]

AS_TYPED = [
    "100% of A_1 and B^N with #hash & R&D",
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


@pytest.mark.parametrize(("typed", "shown"), TURNED + READS_WELL)
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


_PARTS = st.sampled_from(
    [*"$ {}^_~\\&%ab1α( )[]=+-≤∈", r"\frac{a}{b}", r"\log", r"\in", r"\mathrm{x}", r"\le", r"\(",
     r"\)", r"\k{a}", r"\cite{x}", r"\footnote{x}", "\ue003", "\ue100", r"\sqrt[3]{x}", r"\mid"]
)  # fmt: skip


@given(st.lists(_PARTS, max_size=25).map("".join))
def test_no_sign_of_ours_is_left_in_a_text(text: str) -> None:
    shown = to_unicode(text)
    assert set(shown) & set(map(chr, range(0xE000, 0xE010))) <= set(text)
    assert "  " not in shown


@pytest.mark.parametrize(
    "text",
    [
        "~" * 19_000,
        r"\cite{a}~" * 2000,
        r"\begin{align}" * 700,
        "$" + "(" * 500 + "$",
        "{" * 19_000,
    ],
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    to_unicode(text)
    assert time.process_time() - began < 1


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
    assert to_unicode(rf"C:\ours{plain} K\"ahler{plain}") == rf"C:\ours{plain} Kähler{plain}"
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
