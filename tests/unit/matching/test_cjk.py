"""Chinese, Japanese and Korean: one letter, two, more, mixed with Latin, with right offsets."""

import unicodedata

import pytest

from service.matching.document import prepare
from service.matching.evaluate import evaluate
from service.matching.index import Index
from service.matching.parse import parse_keywords, parse_query
from service.papers.model import Alias, Paper


def marked(query: str, text: str, *, keywords: bool = False) -> list[str] | None:
    """What is marked, by exact evaluation; the profile index must say the same."""
    document = prepare(Paper(aliases=(Alias("arxiv", "2511.01234"),), title=text, abstract=""))
    read = parse_keywords(query) if keywords else parse_query(query)
    hits = evaluate(read, document)
    index = Index()
    index.add(7, read)
    assert index.match(document) == ({} if hits is None else {7: hits})
    return None if hits is None else [text[hit.start : hit.end] for hit in hits]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("路", "新的路径规划算法", ["路"]),
        ("路径", "新的路径规划算法", ["路径"]),
        ("路径规划", "新的路径规划算法", ["路径规划"]),
        ("路径算法", "新的路径规划算法", None),
        ("径路", "新的路径规划算法", None),
        ("规划 路径", "新的路径规划算法", ["路径", "规划"]),
        ('"规划 算法"', "新的路径规划算法", ["规划算法"]),
        ("路径规划 NOT 强化", "新的路径规划算法", ["路径规划"]),
        ("大模型*", "大模型的推理", ["大模型"]),
        ("=路径", "新的路径规划算法", ["路径"]),
        ('"路径 算法"~5', "新的路径规划算法", ["路", "径", "算", "法"]),
        ("点云", "3D点云分割", ["点云"]),
        ("3D点云", "3D 点云分割", ["3D 点云"]),
        ('"3d 点云"', "3D点云分割", ["3D点云"]),
        ("GPT模型", "大型GPT模型", ["GPT模型"]),
        ("GPT", "大型GPT模型", ["GPT"]),
        ("gpt-4模型", "用GPT-4模型做", ["GPT-4模型"]),
        ("深層学習", "深層学習によるモデル", ["深層学習"]),
        ("モデル", "深層学習によるモデル", ["モデル"]),
        ("ｶﾞｲﾄﾞ", "ユーザーガイド", ["ガイド"]),
        ("ガイド", "ﾕｰｻﾞｰｶﾞｲﾄﾞ", ["ｶﾞｲﾄﾞ"]),
        ("경로", "새로운 경로를 계획", ["경로"]),
        ("경로계획", "새로운 경로 계획", ["경로 계획"]),
        ("LLM을", "한국어 LLM을 위한", ["LLM을"]),
        ("がくしゅう", "カクシュウ", None),
    ],
)
def test_found_and_marked(query: str, text: str, found: list[str] | None) -> None:
    assert marked(query, text) == found


def test_hangul_in_parts_is_hangul() -> None:
    parts = unicodedata.normalize("NFD", "새로운 경로를 계획")
    assert marked("경로", parts) == [unicodedata.normalize("NFD", "경로")]
    assert marked(unicodedata.normalize("NFD", "경로"), "새로운 경로를 계획") == ["경로"]


def test_lists_with_the_commas_of_these_scripts() -> None:
    assert marked("路径规划，点云、强化学习；3D", "点云与强化学习", keywords=True) == [
        "点云",
        "强化学习",
    ]
