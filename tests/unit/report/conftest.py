from collections.abc import Iterator

import pytest
from heard import Listening


@pytest.fixture
def listen() -> Iterator[Listening]:
    listening = Listening()
    yield listening
    for reporter in listening.opened:
        reporter.close()
