"""What `fairlead.config` offers is there, although none of it is imported until it is asked for."""

import pytest

import fairlead.config as config


@pytest.mark.parametrize("name", config.__all__)
def test_each_name_is_what_it_says(name):
    assert getattr(config, name).__name__ == name


def test_another_name_is_none():
    with pytest.raises(AttributeError, match="no attribute 'loda'"):
        config.loda  # noqa: B018
