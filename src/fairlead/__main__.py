"""`python -m fairlead` is `fairlead`."""

from fairlead.program import main

main()
