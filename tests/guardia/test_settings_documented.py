"""`docs/settings.md` names every setting with its default, and nothing else."""

import ast
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOME_DEFAULT = "./var"  # an expression in the settings: BASE_DIR / "var"


def env_calls() -> dict[str, str]:
    """Name → default as the document writes it, of every `env.<type>("GUARDIA_…")` in the settings."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse((ROOT / "guardia" / "settings.py").read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("env."):
            continue
        name = ast.literal_eval(node.args[0])
        default = next((keyword.value for keyword in node.keywords if keyword.arg == "default"), None)
        found[name] = written(default) or found.get(name, "")
    return found


def written(default: ast.expr | None) -> str:
    if default is None:
        return ""
    if isinstance(default, ast.Call):
        return HOME_DEFAULT
    value: Any = eval(compile(ast.Expression(default), "default", "eval"), {"__builtins__": {}})  # noqa: S307 - ours
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def assigned() -> set[str]:
    tree = ast.parse((ROOT / "guardia" / "settings.py").read_text(encoding="utf-8"))
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith("GUARDIA_")
    }


def documented() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(GUARDIA_\w+)` \| ([^|]+) \|", text, re.MULTILINE)


def test_every_variable_is_documented_with_its_default() -> None:
    table = {name: cell.strip().strip("`").replace("–", "") for name, cell in documented() if name in env_calls()}
    assert table == env_calls()


def test_every_derived_setting_is_documented_and_nothing_that_is_not_there() -> None:
    names = [name for name, _cell in documented()]
    assert len(names) == len(set(names))
    assert set(names) == assigned() | set(env_calls())
