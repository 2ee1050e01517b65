"""Nothing is waited for here that cannot come: hosts are recorded ones."""

import pytest

from fairlead.rollout import execute


@pytest.fixture(autouse=True)
def _undone_at_once_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "UNDO_PATIENCE", 0.0)
