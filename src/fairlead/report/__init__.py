"""What a person, a terminal, a CI job or a script gets to see. Nobody else prints."""

from fairlead.report.choice import open_reporter
from fairlead.report.protocol import Reporter, Wishes

__all__ = ["Reporter", "Wishes", "open_reporter"]
