"""Imports run one way: core before figures before pages, and each outside library stays in its room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each layer may import itself and the layers above it, never one further down.
LAYERS = (
    ("lossviz.boards",),
    ("lossviz.losses", "lossviz.datasets", "lossviz.models", "lossviz.optimizers"),
    (
        *("lossviz.evaluation", "lossviz.columns", "lossviz.tables", "lossviz.descent", "lossviz.proof"),
        *("lossviz.training", "lossviz.landscape"),
        *("lossviz.cards", "lossviz.chooser", "lossviz.compare", "lossviz.experiment", "lossviz.numerics"),
    ),
    ("lossviz.figures", "lossviz.export"),
    ("pages", "app"),
)
SOURCES = sorted([ROOT / "app.py", *(ROOT / "lossviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
CORE = [source for source in SOURCES if source.is_relative_to(ROOT / "lossviz")]


def module_name(source: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = source.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: Path) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, with the line; `from a import b` counts as a and as a.b."""
    package = module_name(source).split(".")
    if source.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield node.lineno, origin
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"


def belongs(module: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def layer(module: str) -> int | None:
    """The layer of a module, counted from the core outwards, or None if it is in none."""
    return next(
        (number for number, rooms in enumerate(LAYERS) if any(belongs(module, room) for room in rooms)),
        None,
    )


def offences(sources: list[Path], packages: tuple[str, ...]) -> list[str]:
    """Where files import one of the packages."""
    return [
        f"{source.relative_to(ROOT)}:{line} imports {module}"
        for source in sources
        for line, module in imports(source)
        if any(belongs(module, package) for package in packages)
    ]


def test_the_walk_sees_files_and_relative_imports(tmp_path: Path) -> None:
    assert ROOT / "lossviz" / "evaluation.py" in CORE
    losses = dict.fromkeys(module for _, module in imports(ROOT / "lossviz" / "evaluation.py"))
    assert any(belongs(module, "lossviz.losses") for module in losses)
    assert layer("lossviz.losses.mse") == 1
    assert layer("lossviz.lossesque") is None


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(ROOT)))
def test_no_arrow_runs_back(source: Path) -> None:
    own = layer(module_name(source))
    allowed = 2 if own is None else own  # lossviz itself gathers the public names of the core's inner layers.
    backwards = [
        f"line {line} imports {module}"
        for line, module in imports(source)
        if (target := layer(module)) is not None and target > allowed
    ]
    assert not backwards, backwards


def test_the_core_knows_no_web_server() -> None:
    assert offences(CORE, ("streamlit", "starlette", "uvicorn")) == []


def test_plotly_is_drawn_with_in_figures_only() -> None:
    figures = ROOT / "lossviz" / "figures"
    # pages/ui/server.py hands out plotly.js as a file and draws nothing.
    others = [
        source
        for source in SOURCES
        if not source.is_relative_to(figures) and source != ROOT / "pages" / "ui" / "server.py"
    ]
    assert offences(others, ("plotly",)) == []


def test_session_and_address_are_touched_in_one_file() -> None:
    state = ROOT / "pages" / "ui" / "state.py"
    touched = [
        f"{source.relative_to(ROOT)}:{node.lineno} uses {node.attr}"
        for source in SOURCES
        if source != state
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"session_state", "query_params"}
    ]
    assert touched == []


def test_nothing_draws_from_global_random_state() -> None:
    assert offences(SOURCES, ("random",)) == []
    allowed = {"default_rng", "Generator", "RandomState", "SeedSequence"}
    used = [
        f"{source.relative_to(ROOT)}:{node.lineno} uses np.random.{node.attr}"
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "random"
        and node.attr not in allowed
    ]
    assert used == []
