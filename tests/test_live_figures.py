"""How fast it was, in words."""

from detector.live.figures import Figures


def test_the_words_are_medians_of_the_last_frames_and_the_whole_run_has_its_tail() -> None:
    figures = Figures()
    assert figures.words == [] and str(figures) == "0 frames"
    for milliseconds in [1000] * 40 + [20] * 30:
        figures.add(milliseconds / 1000, 2 * milliseconds / 1000)
    assert figures.words == ["model 20 ms", "latency 40 ms"]
    assert str(figures).startswith("70 frames (")
    assert str(figures).endswith("model 1000 ms, latency 2000 ms (95 %: 2000 ms)")


def test_the_tail_of_a_few_frames_is_none_that_was_not_there() -> None:
    figures = Figures()
    for milliseconds in (10, 20):
        figures.add(0.001, milliseconds / 1000)
    assert str(figures).endswith("(95 %: 20 ms)")
