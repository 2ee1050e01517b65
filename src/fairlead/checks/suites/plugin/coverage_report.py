"""Run on stdin by the Python that ran the suites: combines their coverage, and reports on it.

Its one argument is JSON: `rcfile` (or null), `suites` (name → data files), `data` (the file that
holds all), `xml`, `html`, `json` (what is written). Prints JSON: percent by suite.
"""

import json
import os
import sys

import coverage
from coverage.exceptions import CoverageException


def combined(rcfile: "str | None", data: str, files: "list[str]") -> coverage.Coverage:
    """The coverage of all the files, in the file `data`."""
    cov = coverage.Coverage(data_file=data, config_file=rcfile or True)
    cov.combine(files, keep=True)
    cov.save()
    return cov


def percent(cov: coverage.Coverage) -> float:
    with open(os.devnull, "w") as nowhere:
        return cov.report(file=nowhere)


def main() -> None:
    asked = json.loads(sys.argv[1])
    suites = {}
    for name, files in asked["suites"].items():
        one = combined(asked["rcfile"], asked["data"] + "." + name, files)
        suites[name] = percent(one)
    files = [file for some in asked["suites"].values() for file in some]
    whole = combined(asked["rcfile"], asked["data"], files)
    whole.json_report(outfile=asked["json"])
    whole.xml_report(outfile=asked["xml"])
    whole.html_report(directory=asked["html"])
    print(json.dumps(suites))


if __name__ == "__main__":
    try:
        main()
    except CoverageException as error:
        sys.exit("coverage: " + str(error))
