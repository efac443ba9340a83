"""N-grams of characters: their weights are those of scikit-learn's TF-IDF."""

from __future__ import annotations

import numpy as np
import pytest
from projects import project, small_input, spec_of

TEXTS = ["Banana", "band", "", "a", "ananas  band", "Straße 7", "日本 日本", "zzzzzzzzzzzz"]
LONGEST, LENGTH = 3, 8


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The module `data` of a project with n-grams."""
    name = small_input("name", "text", "ngrams", longest=LONGEST, shape=[LENGTH], vocabulary=500)
    with project(spec_of([name], features=[]), tmp_path_factory.mktemp("ngrams")) as made:
        yield made.module("data")


def _weights(data, texts, state):
    import tensorflow as tf

    return data.ngram_weights(data.name_ngrams(state), tf.constant(texts)).numpy()


@pytest.mark.slow
def test_weights_are_those_of_scikit_learn(data):
    from sklearn.feature_extraction.text import TfidfVectorizer

    state = data.adapt_name(np.array(TEXTS, object))
    ours = _weights(data, TEXTS, state)
    theirs = TfidfVectorizer(
        analyzer=lambda text: [
            " ".join(text[start : start + size])
            for size in range(2, LONGEST + 1)
            for start in range(len(text) - size + 1)
        ],
        smooth_idf=False,
        norm=None,
    )
    cut = [text.lower().strip()[:LENGTH] for text in TEXTS]
    wanted = theirs.fit_transform(cut).toarray()
    places = {ngram: place for place, ngram in enumerate(["", *state["vocabulary"]])}
    assert set(places) - {""} == set(theirs.vocabulary_)
    for ngram, column in theirs.vocabulary_.items():
        np.testing.assert_allclose(ours[:, places[ngram]], wanted[:, column], rtol=1e-5)
    assert ours.sum() == pytest.approx(wanted.sum(), rel=1e-5)


@pytest.mark.slow
def test_other_ngrams_weigh_nothing(data):
    state = data.adapt_name(np.array(["abab"], object))
    assert _weights(data, ["xyz xyz"], state).sum() == 0


@pytest.mark.slow
def test_texts_of_one_character_have_no_ngrams(data):
    state = data.adapt_name(np.array(["a", "b", ""], object))
    assert _weights(data, ["a", "", "? ?"], state).sum() == 0
