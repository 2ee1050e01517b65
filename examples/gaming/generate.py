"""Writes the repository of a game: 45 services, of which six are deployed.

usage: python examples/gaming/generate.py TARGET [--services 45]

More than 45 are filled up with services that depend on nothing; fewer leaves out the last ones,
but never one that is deployed, nor what another one needs.
"""

import argparse
import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
TEMPLATE = HERE / "template"
Graph = dict[str, list[str]]


def main() -> None:
    options = _options()
    declared = tomllib.loads((HERE / "services.toml").read_text())
    real = declared.pop("real")
    graph = chosen(declared, real, options.services)
    generate(options.target, graph, real)
    print(f"{len(graph)} services in {options.target}, {len(real)} of them deployed")


def chosen(tiers: Mapping[str, Graph], real: list[str], count: int) -> Graph:
    """That many services, with what each calls."""
    everything: Graph = {name: calls for tier in tiers.values() for name, calls in tier.items()}
    needed = _closure(everything, real)
    spare = [name for name in everything if name not in needed]
    names = needed | set(spare[: max(0, count - len(needed))])
    graph = {
        name: calls for name, calls in everything.items() if name in _closure(everything, names)
    }
    return graph | {f"extra-{number}": [] for number in range(len(graph), count)}


def generate(target: Path, graph: Graph, real: list[str]) -> None:
    """Write the tree; an existing one is refused."""
    target.mkdir(parents=True)
    shutil.copytree(TEMPLATE / "deploy", target / "deploy")
    for name, calls in graph.items():
        folder = target / "services" / name.replace("-", "_")
        shutil.copytree(TEMPLATE / "service", folder)
        about = {"name": name, "calls": [one for one in calls if one in real]}
        (folder / "about.json").write_text(json.dumps(about) + "\n")
    entries = [_entry(name, calls) for name, calls in graph.items()]
    (target / "services.json").write_text(json.dumps(entries, indent=2) + "\n")
    (target / ".gitignore").write_text(".env\n.env.*\n__pycache__/\n")
    (target / "tasks.py").write_text("from fairlead.tasks import ns\n")


def _entry(name: str, calls: list[str]) -> dict[str, object]:
    return {
        "name": name,
        "path": f"services/{name.replace('-', '_')}",
        "dockerfile": "Dockerfile",
        "language": "python",
        "test_command": "python -m unittest discover tests",
        "depends_on": calls,
    }


def _closure(graph: Graph, names: "set[str] | list[str]") -> set[str]:
    """The names and all that they call, directly or not."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--services", type=int, default=45)
    options = parser.parse_args()
    if options.target.exists():
        parser.error(f"{options.target} exists already")
    return options


if __name__ == "__main__":
    main()
