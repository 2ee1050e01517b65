"""eslint."""

from typing import Any

from fairlead.checks.finding import Finding, Severity
from fairlead.checks.lint.fixer import Fixer
from fairlead.checks.lint.parsing import inside, json_list
from fairlead.checks.sweep import failed
from fairlead.checks.tree import Tree
from fairlead.checks.verdict import Verdict, concluded
from fairlead.model import Command
from fairlead.transport.local import Ran

_OWN = tuple(f"eslint.config.{end}" for end in ("js", "mjs", "cjs", "ts", "mts", "cts"))
_OLD = tuple(f".eslintrc{end}" for end in ("", ".js", ".cjs", ".json", ".yml", ".yaml"))


class Eslint(Fixer):
    """Reads its JSON. Its warnings are notes: it lets them pass itself."""

    name = "eslint"
    install = "npm install --save-dev eslint"
    settings = (
        *(*_OWN, *_OLD, ".eslintignore", "package.json", "tsconfig*.json"),
        *(".prettierrc*", "prettier.config.*", ".prettierignore", ".editorconfig"),  # by a plugin
    )

    def applies(self, tree: Tree) -> str:
        return next(iter(self._settings(tree)), "")

    def folder(self, tree: Tree) -> str:
        """Where its settings are; of several the one that is nearest to the root."""
        return next(iter(self._settings(tree)), "").rpartition("/")[0]

    def _settings(self, tree: Tree) -> list[str]:
        return sorted(tree.all.matching(*_OWN, *_OLD), key=lambda file: file.count("/"))

    def examines(self, tree: Tree) -> tuple[str, ...]:
        """All, if it is given one: rules about imports and types read the others."""
        return self._given(tree.all) if self._given(tree) else ()

    def _given(self, tree: Tree) -> tuple[str, ...]:
        ends = ("js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx")
        folder = self.folder(tree)
        files = tree.matching(*(f"*.{end}" for end in ends))
        return tuple(file for file in files if not folder or file.startswith(f"{folder}/"))

    def command(self, tree: Tree) -> Command:
        return Command(("eslint", "--format", "json", "--", *self._from_folder(tree)))

    def repair(self, tree: Tree) -> Command:
        return Command(("eslint", "--fix", "--quiet", "--", *self._from_folder(tree)))

    def _from_folder(self, tree: Tree) -> tuple[str, ...]:
        head = f"{self.folder(tree)}/"
        return tuple(file.removeprefix(head) for file in self._given(tree))

    def judge(self, tree: Tree, ran: Ran) -> Verdict:
        if ran.code not in (0, 1):
            return failed(self.name, ran)
        answers = [one for one in json_list(ran.out) if not _left_out(one)]
        findings = [
            self._finding(inside(tree, one["filePath"]), message)
            for one in answers
            for message in one["messages"]
        ]
        if ran.code and not findings:
            return failed(self.name, ran)
        return concluded(self.name, findings, len(answers))

    def _finding(self, path: str, raw: dict[str, Any]) -> Finding:
        level = Severity.MEDIUM if raw["severity"] == 2 else Severity.NOTE
        return Finding(
            self.name,
            raw["ruleId"] or "parse",
            Severity.HIGH if raw.get("fatal") else level,
            raw["message"],
            path,
            raw.get("line") or 0,
            raw.get("column") or 0,
        )


def _left_out(answer: dict[str, Any]) -> bool:
    """Whether all it says of a file is that its settings leave the file out."""
    said = answer["messages"]
    return bool(said) and all(
        one["ruleId"] is None and one["message"].startswith("File ignored") for one in said
    )
