"""Every real keyword list on real papers: oracle = index = search over stored papers."""

import pytest
from support.captures import shared_data

from bench.campaigns.real_profiles import check, real_profiles
from bench.captured.papers import arxiv_papers, hf_papers, keyword_lists


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_real_lists_on_a_share_of_the_real_papers() -> None:
    shared_data()
    profiles = real_profiles(keyword_lists())
    assert profiles.lists == 226
    assert len(profiles.queries) >= profiles.lists
    papers = [*arxiv_papers(every=90), *hf_papers(every=70)]
    figures = check(papers, profiles)
    assert figures["disagreements"] == []
    assert figures["papers"] > 120
    assert figures["matches"] > 1000
