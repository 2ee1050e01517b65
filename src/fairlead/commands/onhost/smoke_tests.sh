# Smoke checks of @key@ through this host's router, written by Fairlead. Needs sh and docker only.
#   bash deploy/smoke_tests.sh
# The same checks as `inv smoke` asks from the hosts. A JSON check looks for the path's last key
# with its value. Exit codes: 0 all passed, 1 some failed.

fl_smoke_faults=0
@checks@
if [ "$fl_smoke_faults" -gt 0 ]; then
  echo "$fl_smoke_faults smoke checks failed" >&2
  exit 1
fi
