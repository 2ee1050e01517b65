"""A module that cannot be imported."""

import no_such_module_planted_for_the_import_check  # type: ignore[import-not-found] # planted

print(no_such_module_planted_for_the_import_check)
