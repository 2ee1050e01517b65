"""Which linters run: detected from files and settings, or named."""

from pathlib import Path

import pytest

from fairlead.checks.lint.choice import choose, linters
from fairlead.checks.lint.packages import packages
from fairlead.checks.programs import Programs
from fairlead.checks.tree import Tree
from fairlead.errors import UsageError


def tree(root: Path, **contents: str) -> Tree:
    """A tree of files; `__` in a name is a slash, a trailing `_` a leading dot."""
    names = []
    for key, content in contents.items():
        name = key.replace("__", "/").replace("_", ".")
        name = f".{name[:-1]}" if name.endswith(".") else name
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
        names.append(name)
    return Tree(root, tuple(sorted(names)))


def chosen(tree: Tree, **options: object) -> list[str]:
    nowhere = Programs(tree.root, {"PATH": "/nowhere"})
    return [tool.name for tool in choose(tree, nowhere, **options).tools]


@pytest.mark.parametrize(
    ("pyproject", "names"),
    [
        ("", ["ruff", "ruff-format"]),
        ("[tool.ruff]\n", ["ruff", "ruff-format"]),
        ("[tool.black]\n", ["ruff", "black"]),
        ("[tool.black]\n[tool.ruff]\n", ["ruff", "black"]),
        ("[tool.black]\n[tool.ruff.format]\n", ["ruff", "black", "ruff-format"]),
        ("[tool.pylint.main]\n", ["pylint"]),
        ("[tool.pylint.main]\n[tool.ruff]\n", ["ruff", "ruff-format", "pylint"]),
        ("[tool.mypy]\n[tool.isort]\n", ["ruff", "isort", "ruff-format", "mypy"]),
        ("[tool.radon]\n", ["ruff", "ruff-format", "radon"]),
        ("not toml", ["ruff", "ruff-format"]),
    ],
)
def test_settings_decide_and_one_formatter_is_enough(tmp_path, pyproject, names):
    assert chosen(tree(tmp_path, app_py="", pyproject_toml=pyproject)) == names


@pytest.mark.parametrize("file", ["setup_cfg", "tox_ini"])
def test_settings_in_shared_files_count(tmp_path, file):
    files = {"app_py": "", file: "[flake8]\n[isort]\n"}
    assert chosen(tree(tmp_path, **files)) == ["isort", "flake8"]


def test_without_python_no_python_linter_runs(tmp_path):
    assert chosen(tree(tmp_path, read_md="")) == []


def test_what_a_kind_of_file_calls_for_is_left_out_where_it_is_missing_and_that_is_told(tmp_path):
    found = tree(tmp_path, Dockerfile="", a_sh="", a_yaml="", github__workflows__x_yml="")
    named = (".github/workflows/x.yml" if "github" in f else f for f in found.files)
    Path(tmp_path / "github").rename(tmp_path / ".github")
    found = Tree(tmp_path, tuple(sorted(named)))
    nothing = Programs(tmp_path, {"PATH": "/nowhere"})
    nothing.path = "/nowhere"  # the interpreter's own folder has some of them
    choice = choose(found, nothing)
    assert choice.tools == ()
    assert [one.split()[0] for one in choice.left_out] == [
        "yamllint",
        "hadolint",
        "shellcheck",
        "actionlint",
    ]
    named_ones = choose(found, nothing, declared=("hadolint",))
    assert [tool.name for tool in named_ones.tools] == ["hadolint"]


def test_a_setting_for_it_makes_it_wanted(tmp_path):
    found = tree(tmp_path, Dockerfile="", hadolint_yaml_="")
    assert chosen(found) == ["hadolint"]


def test_only_beats_what_is_declared(tmp_path):
    found = tree(tmp_path, app_py="")
    assert chosen(found, declared=("mypy", "ruff")) == ["ruff", "mypy"]
    assert chosen(found, declared=("mypy", "ruff"), only=("flake8",)) == ["flake8"]


def test_what_is_skipped_is_left_out_whoever_calls_for_it(tmp_path):
    found = tree(tmp_path, app_py="", pyproject_toml="[tool.mypy]\n")
    assert chosen(found, skip=("types", "ruff")) == ["ruff-format"]
    assert chosen(found, skip=("format",), declared=("black", "radon")) == ["radon"]
    assert chosen(found, skip=("types",), only=("mypy", "ruff")) == ["ruff"]
    with pytest.raises(UsageError, match="--skip: there is no linter `typs`"):
        choose(found, Programs(tmp_path), skip=("typs",))


def test_a_kind_is_what_is_declared_of_it_else_what_the_tree_calls_for(tmp_path):
    found = tree(tmp_path, app_py="")
    assert chosen(found, only=("format",)) == ["ruff-format"]
    assert chosen(found, only=("format",), declared=("black", "ruff")) == ["black"]
    assert chosen(found, only=("types",)) == []
    assert chosen(found, only=("types",), declared=("mypy",)) == ["mypy"]


def test_a_name_that_nobody_has_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="did you mean `yamllint`"):
        choose(tree(tmp_path, a_py=""), Programs(tmp_path), only=("yamlint",))


def test_of_a_narrowed_tree_only_what_its_files_concern(tmp_path):
    whole = tree(
        tmp_path, app_py="", pyproject_toml="[tool.mypy]\n", fine_js="", eslint_config_js=""
    )
    assert chosen(whole.only(["fine.js"])) == ["eslint"]
    assert chosen(whole.only(["app.py"])) == ["ruff", "ruff-format", "mypy"]
    mypy = linters(10)["mypy"]
    assert mypy.examines(whole.only(["app.py"])) == ("app.py",)


@pytest.mark.parametrize(
    ("pyproject", "named"),
    [
        ("[tool.mypy]\n", True),
        ('[tool.mypy]\n[tool.hatch.build.targets.wheel]\npackages = ["src/app"]\n', True),
        ('[tool.mypy]\n[tool.setuptools]\npy-modules = ["app"]\npackages = ["app"]\n', True),
        ('[tool.mypy]\nfiles = ["app.py"]\n', False),
    ],
)
def test_mypy_is_given_what_its_own_settings_do_not_name(tmp_path, pyproject, named):
    found = tree(tmp_path, app_py="", pyproject_toml=pyproject)
    assert ("app.py" in linters(10)["mypy"].command(found).argv) is named


def test_mypy_reads_its_section_and_no_other(tmp_path):
    others = "[options]\npackages = find:\n[mypy]\nstrict = true\n"
    found = tree(tmp_path, app_py="", setup_cfg=others)
    assert "app.py" in linters(10)["mypy"].command(found).argv
    (tmp_path / "setup.cfg").write_text(others + "files =\n    app.py\n")
    assert "app.py" not in linters(10)["mypy"].command(found).argv


def test_mypy_takes_the_whole_program_whatever_changed(tmp_path):
    whole = tree(tmp_path, a_py="", b_py="", read_md="")
    assert linters(10)["mypy"].examines(whole.only(["a.py"])) == ("a.py", "b.py")
    assert linters(10)["mypy"].examines(whole.only(["read.md"])) == ()


def test_packages_at_the_root_and_in_src_are_what_a_project_ships(tmp_path):
    files = (
        "shop/__init__.py",
        "shop/__main__.py",
        "shop/cart/total.py",
        "shop/tests/test_it.py",
        "src/lib/__init__.py",
        "tests/__init__.py",
        "deep/down/pkg/__init__.py",
    )
    found = {one.name: (one.base, one.modules()) for one in packages(Tree(tmp_path, files))}
    assert found == {"shop": (".", ("shop", "shop.cart.total")), "lib": ("src", ("lib",))}


def test_shell_scripts_are_known_by_their_first_line(tmp_path):
    lines = {
        "run": "#!/usr/bin/env bash\n",
        "old": "#!/bin/sh\n",
        "py": "#!/usr/bin/python3\n",
        "zsh": "#!/bin/zsh\n",
        "text": "hello\n",
    }
    for name, line in lines.items():
        (tmp_path / name).write_text(line)
    found = linters(10)["shellcheck"].examines(Tree(tmp_path, tuple(sorted(lines))))
    assert found == ("old", "run")


def test_every_linter_says_what_it_was_made_with():
    """By that its verdicts are told apart in the cache."""
    assert vars(linters(10)["radon"]) != vars(linters(11)["radon"])
    for tool in linters(10).values():
        assert " at 0x" not in repr(vars(tool))


@pytest.mark.parametrize("name", ["pylint", "eslint"])
def test_what_follows_imports_depends_on_what_was_not_named(tmp_path, name):
    whole = tree(tmp_path, a_py="", b_py="", a_js="", b_js="", eslint_config_js="")
    tool, end = linters(10)[name], {"pylint": "py", "eslint": "js"}[name]
    named = whole.only([f"a.{end}"])
    assert f"b.{end}" in tool.examines(named)
    assert f"b.{end}" not in tool.command(named).argv


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("eslint", ".eslintignore"),
        ("eslint", "tsconfig.base.json"),
        ("eslint", ".prettierrc.json"),
        ("actionlint", ".github/actions/build/action.yml"),
    ],
)
def test_a_file_that_steers_it_is_one_of_its_settings(tmp_path, name, file):
    assert Tree(tmp_path, (file,)).matching(*linters(10)[name].settings) == (file,)


def test_the_import_check_depends_on_what_its_modules_may_read(tmp_path):
    found = Tree(tmp_path, ("app/__init__.py", "app/table.json", "read.md"))
    assert linters(10)["imports"].examines(found) == ("app/__init__.py", "app/table.json")


def test_a_file_that_is_named_like_an_option_is_a_file(tmp_path):
    """Of what is given files: they come after `--`, or in a folder of their own."""
    files = ("-x.py", "-x.yaml", "-x.sh", "-x.js", "eslint.config.js")
    found = Tree(tmp_path, files)
    for tool in linters(10).values():
        argv = tool.command(found).argv
        named = [at for at, word in enumerate(argv) if word in files]
        assert not named or argv.index("--") < min(named), tool.name


def test_modules_in_folders_of_the_package_are_shipped_and_its_tests_are_not(tmp_path):
    files = ("app/__init__.py", "app/docs/a.py", "app/scripts/b.py", "app/tests/test_c.py")
    (one,) = packages(Tree(tmp_path, (*files, "docs/__init__.py")))
    assert one.modules() == ("app", "app.docs.a", "app.scripts.b")
