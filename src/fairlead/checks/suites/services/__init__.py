"""What suites need beside them, for as long as they run: containers, or servers of this machine."""

from fairlead.checks.suites.services.recipe import Address, Unavailable
from fairlead.checks.suites.services.start import started

__all__ = ["Address", "Unavailable", "started"]
