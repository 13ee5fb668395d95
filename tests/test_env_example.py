""".env.example: every variable that the code reads, and no other; defaults as the code has them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from dotenv import dotenv_values

from blocks.environment import build
from blocks.key_pair import PrivateKey
from blocks.variables import FORMATS, NUMBERS

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
OPTIONAL = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", EXAMPLE, re.MULTILINE))
GIVEN = re.findall(r"^([A-Z][A-Z0-9_]*)=", EXAMPLE, re.MULTILINE)

NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
HOLDERS = {"environ", "environment", "variables"}
"""What the code calls a mapping of variables."""
NOT_OURS = {"PYTEST_XDIST_WORKER"}


def read_variables() -> set[str]:
    """Names of the variables that the code reads, as its text shows."""
    found = {*FORMATS, *NUMBERS}
    found |= set(re.findall(r"\{\{ \$(\w+) \}\}", (ROOT / "prefect.yaml").read_text(encoding="utf-8")))
    found |= set(re.findall(r"PREFECT_API_[A-Z_]+", text_of_settings()))
    for room in ("blocks", "deploy", "flows", "pipeline", "tools", "sandbox", "tests/real"):
        for file in (ROOT / room).rglob("*.py"):
            module = ast.parse(file.read_text(encoding="utf-8"))
            found.update(directly(module))
            if room not in ("sandbox", "tests/real"):
                found.update(by_name(module))
    # blocks/environment.py makes this name from the other
    passphrases = {f"{name}_PASSPHRASE" for name in found if name.endswith("PRIVATE_KEY")}
    return (found | passphrases) - NOT_OURS


def text_of_settings() -> str:
    """Prefect's settings that commands pass on from the variables."""
    source = (ROOT / "blocks" / "prefect_api.py").read_text(encoding="utf-8")
    (settings,) = re.findall(r"^SETTINGS = \((.*)\)$", source, re.MULTILINE)
    return str(settings)


def directly(module: ast.Module) -> Iterator[str]:
    """Keys of `os.environ`: in `get`, in brackets, and before `in`."""
    constants = {
        ast.unparse(node.targets[0]): node.value for node in module.body if isinstance(node, ast.Assign)
    }
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=holder, attr="get"), args=[key, *_]):
                pass
            case ast.Subscript(value=holder, slice=key, ctx=ast.Load()):
                pass
            case ast.Compare(left=key, comparators=[holder]):
                pass
            case _:
                continue
        key = constants.get(ast.unparse(key), key)
        if ast.unparse(holder) == "os.environ" and isinstance(key, ast.Constant):
            yield str(key.value)


def by_name(module: ast.Module) -> Iterator[str]:
    """Texts that look like a variable's name, in functions that handle variables; no defaults of `get`."""
    for function in ast.walk(module):
        nodes = [*ast.walk(function)] if isinstance(function, ast.FunctionDef) else []
        if any(map(holds_variables, nodes)):
            defaults = [call.args[1] for call in nodes if is_get(call) and call.args[1:]]
            texts = [node for node in nodes if isinstance(node, ast.Constant) and node not in defaults]
            yield from (text for node in texts if NAME.fullmatch(text := str(node.value)))


def holds_variables(node: ast.AST) -> bool:
    """Whether it is one of HOLDERS, of an object or by itself."""
    return getattr(node, "id", getattr(node, "attr", None)) in HOLDERS


def is_get(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether it calls `get`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"


def test_every_variable_is_in_the_example_and_no_other() -> None:
    assert sorted([*GIVEN, *OPTIONAL]) == sorted(read_variables())


def test_the_scan_finds_each_way_of_reading() -> None:
    module = ast.parse(
        "KEY = 'A'\n"
        "def f(environment):\n"
        "    os.environ.get(KEY, 'no'), os.environ['B'], 'C' in os.environ\n"
        "    environment.get('D_D', 'E_E'), given(environment, {'x': 'F_F'}), 'text'\n"
    )
    assert {*directly(module)} == {"A", "B", "C"}
    assert {*by_name(module)} == {"D_D", "F_F"}


def test_the_three_lines_to_fill_in_are_those_of_the_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    step = re.search(r"^2\. .*?^3\. ", manual, re.MULTILINE | re.DOTALL)
    assert step
    assert "cp .env.example .env" in step[0]
    assert re.findall(r"^ *([A-Z_]+)=", step[0], re.MULTILINE) == GIVEN
    assert len(GIVEN) == 3


def test_copied_as_it_is_it_sets_nothing_but_the_region() -> None:
    values = dotenv_values(ROOT / ".env.example")
    assert {name: value for name, value in values.items() if value} == {"AWS_DEFAULT_REGION": "eu-west-1"}


def test_its_defaults_are_those_of_the_blocks() -> None:
    least = {
        "SPOTIFY_CLIENT_ID": "client",
        "SPOTIFY_CLIENT_SECRET": "secret",
        "LAKE_BUCKET": "bucket",
        "SNOWFLAKE_ACCOUNT": "account",
        "SNOWFLAKE_USER": "user",
    }
    defaults = {name: value for name, value in OPTIONAL.items() if value}
    key = PrivateKey.of("pem")
    blocks, with_defaults = (
        {name: block.model_dump() for name, block in build(environment, key).items()}
        for environment in (least, least | defaults)
    )
    assert {"SPOTIFY_API_URL", "SNOWFLAKE_ROLE"} <= defaults.keys()
    assert with_defaults == blocks
    assert {name: int(defaults[name]) for name in NUMBERS} == NUMBERS
