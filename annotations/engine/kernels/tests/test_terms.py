"""The kernels' terms are those of terms.py, in its order."""

from annotations.engine.descriptions import DESCRIBED
from annotations.engine.kernels.library import call, library
from annotations.engine.terms import CODING, IMPACT_OF_TERM, SPLICE_SITE, TERMS


def test_terms_and_their_impacts_agree() -> None:
    ranks = range(call("term_count"))
    names = tuple(library().term_text(rank).decode() for rank in ranks)
    assert names == TERMS
    assert [library().term_impact(rank).decode() for rank in ranks] == [
        IMPACT_OF_TERM[name] for name in names
    ]


def test_sets_of_terms_agree() -> None:
    assert [call("term_set_of", number) for number in range(3)] == [CODING, SPLICE_SITE, DESCRIBED]
