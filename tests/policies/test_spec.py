"""In which order --set and --policy hold."""

import pytest

from policies.spec import arranged, overrides


def texts(settings, spec):
    return [
        text for text, _ in arranged([(text, "--set") for text in settings], [(text, "") for text in overrides(spec)])
    ]


@pytest.mark.parametrize(
    ("settings", "spec", "applied"),
    [
        (["policy.power=shed"], "easy", ["policy=easy", "policy.power=shed"]),
        (
            ["seed=1", "policy.power=shed"],
            "easy,order=sjf",
            ["policy=easy", "seed=1", "policy.power=shed", "policy.order=sjf"],
        ),
        (["policy.order=las"], "order=sjf", ["policy.order=las", "policy.order=sjf"]),
        (["policy.order=las", "policy=fifo"], "easy", ["policy=fifo", "policy=easy", "policy.order=las"]),
        (["policy.order=las", "policy=fifo"], "order=sjf", ["policy.order=las", "policy=fifo", "policy.order=sjf"]),
    ],
)
def test_a_preset_comes_before_what_is_set_on_an_axis_and_axes_of_the_spec_come_last(settings, spec, applied):
    assert texts(settings, spec) == applied
