"""The house keeps its order: which part may import which, no circles between files, small files.

The allowed arrows are those of docs/architecture.md.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("app", "callbacks", "cache", "fusion", "benchmarks", "fusevis")

ALLOWED: dict[str, set[str]] = {
    "benchmarks": {"app", "callbacks", "cache", "fusion"},
    "callbacks": {"app", "cache", "fusion"},
    "app": {"cache", "fusion"},
    "cache": {"fusion"},
    "fusion": set(),
    "fusevis": {"app", "cache", "fusion"},
}
"""Which other parts the files of a part may import; benchmarks stand above all, and nobody imports them."""

ALLOWED_TO_FILES: dict[str, set[str]] = {
    "app/factory.py": {"callbacks"},
}
"""The files that may import more than their part: where the whole is put together and started."""

IMPORT_BY_NAME: dict[str, str] = {
    "fusion/methods/registry.py": "every file of fusion/methods, so that a new one is found without a list",
    "fusion/methods/packed/bringing.py": "a user's own file, which the user asks to pack",
}
"""The only files that import by a name computed while they run, which no other test here sees: each with what."""

LINE_LIMIT = 500
TEST_LINE_LIMIT = 600
"""A file of tests follows one file of the house, whose cases are many and alike."""
LONG_FILES: dict[str, str] = {}
"""Files that may be longer, each with the reason."""

WEB_PACKAGES = ("dash", "flask", "plotly", "flask_caching", "dash_bootstrap_components", "gunicorn", "redis")


@cache
def tree(path: Path) -> ast.Module:
    """Return what a file says."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, Path]:
    """Return every module of the house by its dotted name; a package stands for its ``__init__.py``."""
    found = {}
    for part in PARTS:
        for path in sorted((ROOT / part).rglob("*.py")):
            names = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def imported_modules(path: Path, known: dict[str, Path] | None = None) -> Iterator[str]:
    """Yield the house's modules that a file imports anywhere, inside functions too.

    ``from package import name`` is an import of ``package.name`` where that is a module, else of the package.
    That importing ``a.b`` also runs ``a/__init__.py`` is Python's doing and is not counted.
    """
    known = modules() if known is None else known
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            assert node.module is not None
            names = [
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in known else node.module
                for alias in node.names
            ]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in PARTS)


def imports_by_name(path: Path) -> list[int]:
    """Return the lines of a file that import a module by name, as `importlib.import_module` and its like do."""
    functions = {
        "import_module",
        "__import__",
        "reload",
        "find_spec",
        "spec_from_file_location",
        "run_module",
    }
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name):
            names = {node.id}
        elif isinstance(node, ast.Attribute):
            names = {node.attr}
        elif isinstance(node, ast.ImportFrom) and node.module in ("importlib", "importlib.util", "runpy"):
            names = {alias.name for alias in node.names}
        else:
            continue
        if names & functions:
            found.append(node.lineno)
    return found


def find_circle(arrows: dict[str, set[str]]) -> list[str] | None:
    """Return the names along one circle of the graph, or None."""
    finished: set[str] = set()

    def visit(name: str, trail: list[str]) -> list[str] | None:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in finished:
            return None
        for target in sorted(arrows.get(name, ())):
            if circle := visit(target, [*trail, name]):
                return circle
        finished.add(name)
        return None

    for start in sorted(arrows):
        if circle := visit(start, []):
            return circle
    return None


def test_all_parts_are_there() -> None:
    assert {name.split(".")[0] for name in modules()} == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_arrows_run_one_way(part: str) -> None:
    wrong = []
    for name, path in modules().items():
        file = path.relative_to(ROOT).as_posix()
        if not file.startswith(f"{part}/"):
            continue
        allowed = {part} | ALLOWED[part] | ALLOWED_TO_FILES.get(file, set())
        wrong += [
            f"{name} → {target}" for target in imported_modules(path) if target.split(".")[0] not in allowed
        ]
    assert wrong == []


def test_no_import_is_hidden() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in modules().values()
        if (lines := imports_by_name(path))
    }
    assert found.keys() - IMPORT_BY_NAME.keys() == set(), found
    assert found.keys() == IMPORT_BY_NAME.keys(), "some need no exception any more"


@pytest.mark.parametrize(
    "program",
    [
        "import importlib\nimportlib.import_module('benchmarks.users')",
        "from importlib import import_module\n",
        "from importlib import import_module as take\n",
        "__import__('benchmarks')",
        "import builtins\nbuiltins.__import__('benchmarks')",
        "import runpy\nrunpy.run_module('benchmarks')",
    ],
)
def test_a_hidden_import_would_be_found(tmp_path: Path, program: str) -> None:
    path = tmp_path / "example.py"
    path.write_text(program, encoding="utf-8")
    assert imports_by_name(path)


def test_versions_of_packages_are_no_imports(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("from importlib import metadata\nmetadata.version('torch')", encoding="utf-8")
    assert imports_by_name(path) == []


def test_exceptions_name_files_that_exist() -> None:
    assert [
        file for file in {**ALLOWED_TO_FILES, **IMPORT_BY_NAME, **LONG_FILES} if not (ROOT / file).is_file()
    ] == []


def test_imports_of_the_house_name_modules_that_exist() -> None:
    missing = [
        f"{name} → {target}"
        for name, path in modules().items()
        for target in imported_modules(path)
        if target not in modules() and target not in PARTS
    ]
    assert missing == []


def test_no_circles_between_files() -> None:
    arrows = {name: set(imported_modules(path)) for name, path in modules().items()}
    circle = find_circle(arrows)
    assert circle is None, " → ".join(circle or [])


def test_a_circle_would_be_found() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_circle({"a": {"a"}}) == ["a", "a"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_every_form_of_import_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text(
        "import fusion.pair as p\nfrom fusion import errors, fuse\nimport numpy\n"
        "def f():\n    from cache.store.store import ArrayStore\n",
        encoding="utf-8",
    )
    known = {"fusion": path, "fusion.pair": path, "fusion.errors": path, "cache.store.store": path}
    assert list(imported_modules(path, known)) == [
        "fusion.pair",
        "fusion.errors",
        "fusion",
        "cache.store.store",
    ]


def run_without_web_packages(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python that has no web packages: importing one fails as if it were not installed."""
    absent = f"import sys\nfor name in {WEB_PACKAGES!r}: sys.modules[name] = None\n"
    return subprocess.run(
        [sys.executable, "-c", absent + program], cwd=ROOT, capture_output=True, text=True, timeout=240
    )


def test_fusion_needs_no_web_packages() -> None:
    # Named one by one, so that files which import lazily or are imported by nobody count too; only what makes
    # the samples needs packages that an installation of the page does not have.
    names = [
        name
        for name in modules()
        if name.split(".")[0] == "fusion" and not name.endswith((".__main__", ".make_samples"))
    ]
    readers = "assert not {'pydicom', 'nibabel', 'matplotlib'} & set(sys.modules), 'waited for by all'"
    program = f"import importlib, fusion\n{readers}\nfor name in {names!r}: importlib.import_module(name)"
    result = run_without_web_packages(program)
    assert result.returncode == 0, result.stderr


def test_the_guard_against_web_packages_works() -> None:
    result = run_without_web_packages("import dash")
    assert "ModuleNotFoundError" in result.stderr


def source_files() -> list[Path]:
    patterns = [f"{part}/**/*.py" for part in (*PARTS, "tests")] + [
        "assets/**/*.mjs",
        "assets/styles/*.css",
    ]
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def test_files_are_small() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in source_files()
    }
    long = {
        file: length
        for file, length in lengths.items()
        if length > (TEST_LINE_LIMIT if file.startswith("tests/") else LINE_LIMIT)
    }
    unexplained = {file: length for file, length in long.items() if file not in LONG_FILES}
    assert unexplained == {}, "split these, or give the reason in LONG_FILES"
    assert LONG_FILES.keys() - long.keys() == set(), "short enough now: take them off LONG_FILES"
