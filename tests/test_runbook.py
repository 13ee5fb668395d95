"""docs/runbook.md quotes every message that a run or a command can end with, and no other.

Messages are read from the source as patterns: what the source fixes stays, what varies becomes `…`. A quote
on the page is such a pattern; its `…` may also leave something out, but not the longest fixed part, or the
beginning of that.
"""

import ast
import builtins
import re
from ast import Assign, Attribute, Call, Constant, FunctionDef, Name, Tuple
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
RUNBOOK = ROOT / "docs" / "runbook.md"
HOLE = "…"
WORDS = re.compile("[A-Za-z]{2}")
SHOWN = 30
"""Characters of the longest fixed part that a quote shows at least."""

QUOTED = {"message": {"error", "stdout"}, "warning": {"warning"}, "reason": {"reject"}}
"""First column of the page's tables, and the kinds of messages that it quotes."""
PREFECT = """
prefect/flow_engine.py prefect/states.py prefect/runner/_flow_run_executor.py prefect/workers/base.py
prefect_aws/observers/ecs.py
"""
"""Whose messages the tables with the first column "Prefect says" quote."""

LEAST = {"error": 110, "warning": 14, "reject": 11}
"""A collection that finds fewer has gone blind."""

PASSED_ON = {
    ("flows/cli.py", "f'{state.name}: {state.message}\\n'"): "the run's message",
    ("flows/enrich.py", "reader.stopped or UNKNOWN"): "why the reader stopped: an error's message",
    ("flows/enrich.py", "str(error)"): "an error of Spotify's or the lake's",
    ("flows/keep.py", "'%s'"): "why a playlist failed",
    ("flows/keep.py", "str(error)"): "the same",
    ("flows/lake/answers.py", "str(error)"): "gzip's words, within `is no kept snapshot`",
    ("flows/publish.py", "message"): "why playlists failed, within the receipt's message",
    ("flows/publish.py", "receipt.message"): "the receipt's message",
    ("flows/run.py", "str(error)"): "the error that ended the run",
    ("flows/spotify/answers.py", "f'401 {text}'"): "Spotify's words, within `it has just given`",
    ("flows/spotify/answers.py", "message"): "what makes a Refused says it",
    ("flows/spotify/answers.py", "seconds"): "RateLimited makes its own message of them",
    ("flows/transform/decode.py", "reason"): "what makes a _Refused says it",
    ("flows/write.py", "str(error)"): "why a playlist failed",
    ("blocks/prefect_api.py", "_reason(error)"): "Prefect's words about its versions",
    ("blocks/register.py", "f'{error}\\n'"): "why Prefect failed",
    ("blocks/stored.py", "wrong_fields(error)"): "pydantic's words, within `cannot be kept`",
}
"""Messages that the source does not fix: module and expression, and what is said there."""


class Scope(NamedTuple):
    """Where an expression stands: its module, the classes and functions around it, and what led there."""

    module: "Module"
    around: tuple[ast.AST, ...] = ()
    seen: frozenset[int] = frozenset()


class Module:
    """A file of the project, what it defines and what it imports."""

    def __init__(self, path: Path) -> None:
        self.path = path.relative_to(ROOT).as_posix()
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [*ast.walk(self.tree)]
        self.functions = [one for one in nodes if isinstance(one, FunctionDef)]
        self.classes = [one for one in nodes if isinstance(one, ast.ClassDef)]
        imports = [one for one in nodes if isinstance(one, ast.ImportFrom)]
        self.imports = {name.name: f"{one.module}".replace(".", "/") for one in imports for name in one.names}

    def whence(self, name: str) -> "Module | None":
        """The module of the project from which a name is imported."""
        return modules().get(f"{self.imports.get(name)}.py")


@cache
def modules() -> dict[str, Module]:
    paths = [path for top in ("flows", "blocks", "deploy") for path in sorted((ROOT / top).rglob("*.py"))]
    return {one.path: one for one in map(Module, paths)}


@cache
def errors() -> set[str]:
    """Names of Python's exceptions and the project's."""
    kinds = [one for one in vars(builtins).values() if isinstance(one, type) and issubclass(one, Exception)]
    names = {one.__name__ for one in kinds}
    classes = [one for module in modules().values() for one in module.classes]
    for _ in classes:
        names |= {one.name for one in classes if any(names & named(base) for base in one.bases)}
    return names


def named(node: ast.AST) -> set[str]:
    """All names in an expression."""
    return {
        one.id if isinstance(one, Name) else one.attr
        for one in ast.walk(node)
        if isinstance(one, Name | Attribute)
    }


class _Texts(ast.NodeVisitor):
    """All that an expression may say, with `…` for what only a run knows."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def generic_visit(self, _: ast.AST) -> list[str]:
        return [HOLE]

    def visit_Constant(self, node: Constant) -> list[str]:
        return [] if node.value is None else [str(node.value)]

    def visit_JoinedStr(self, node: ast.JoinedStr) -> list[str]:
        return joined(_Texts(self.scope).visit(part) for part in node.values)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> list[str]:
        return filled(self.visit(node.value))

    def visit_BinOp(self, node: ast.BinOp) -> list[str]:
        added = [self.visit(node.left), self.visit(node.right)]
        return joined(added) if isinstance(node.op, ast.Add) else [HOLE]

    def visit_IfExp(self, node: ast.IfExp) -> list[str]:
        return [*self.visit(node.body), *self.visit(node.orelse)]

    def visit_BoolOp(self, node: ast.BoolOp) -> list[str]:
        return [text for value in node.values for text in self.visit(value)]

    def visit_NamedExpr(self, node: ast.NamedExpr) -> list[str]:
        return list(self.visit(node.value))

    def visit_Call(self, node: Call) -> list[str]:
        match node.func:
            case Attribute(attr="join"):
                return _Elements(self.scope).visit(node.args[0]) or [HOLE]
            case Name(id=name) | Attribute(value=Name(id="self"), attr=name):
                return self.choices(node, returned(name, self.scope))
        return [HOLE]

    def visit_Name(self, node: Name) -> list[str]:
        return self.choices(node, assigned(node.id, self.scope))

    def visit_Dict(self, node: ast.Dict) -> list[str]:
        return [text for value in node.values for text in self.visit(value)]

    def visit_Subscript(self, node: ast.Subscript) -> list[str]:
        match node:
            case ast.Subscript(value=Name() as table):
                return self.visit_Name(table)
            case ast.Subscript(value=Call(func=Name(id=name)), slice=Constant(value=int(place))):
                wholes = returned(name, self.scope)
                return self.choices(
                    node, [(one.elts[place], at) for one, at in wholes if isinstance(one, Tuple)]
                )
        return [HOLE]

    def choices(self, node: ast.AST, values: list[tuple[ast.expr, Scope]]) -> list[str]:
        """What each of the values says that a node may stand for."""
        if id(node) in self.scope.seen or not values:
            return [HOLE]
        seen = self.scope.seen | {id(node)}
        says = [type(self)(scope._replace(seen=seen)).visit(value) for value, scope in values]
        return [text for said in says for text in said]


class _Elements(_Texts):
    """All that the elements of a list may say."""

    def visit_List(self, node: ast.List) -> list[str]:
        says = [
            (self if isinstance(one, ast.Starred) else _Texts(self.scope)).visit(one) for one in node.elts
        ]
        return [text for said in says for text in said]

    def visit_Starred(self, node: ast.Starred) -> list[str]:
        return list(self.visit(node.value))

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> list[str]:
        return list(_Texts(self.scope).visit(node.elt))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> list[str]:
        return self.visit_ListComp(node)

    def visit_BinOp(self, node: ast.BinOp) -> list[str]:
        return [*self.visit(node.left), *self.visit(node.right)]

    def visit_Call(self, node: Call) -> list[str]:
        is_filter = isinstance(node.func, Name) and node.func.id == "filter"
        return list(self.visit(node.args[1])) if is_filter else super().visit_Call(node)


def joined(parts: Iterable[list[str]]) -> list[str]:
    return ["".join(one) for one in product(*parts)]


def filled(said: list[str]) -> list[str]:
    """What a place in a message holds: some known texts, or anything."""
    return said if HOLE not in said and any(map(WORDS.search, said)) else [HOLE]


def assigned(name: str, scope: Scope) -> list[tuple[ast.expr, Scope]]:
    """The values of a name: in the functions around, else in the module or where that imports it from."""
    for function in reversed(scope.around):
        if isinstance(function, FunctionDef):
            found = values(ast.walk(function), name)
            if found or name in {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}:
                return [(value, scope) for value in found]
    if origin := scope.module.whence(name):
        return assigned(name, Scope(origin, seen=scope.seen))
    return [(value, scope._replace(around=())) for value in values(scope.module.tree.body, name)]


def values(nodes: Iterable[ast.AST], name: str) -> list[ast.expr]:
    """What is assigned to a name, put into it, or taken out of a table for it."""
    found: list[ast.expr] = []
    for node in nodes:
        match node:
            case (
                Assign(targets=[Name(id=to) | ast.Subscript(value=Name(id=to))], value=value)
                | ast.AnnAssign(target=Name(id=to), value=ast.expr() as value)
                | ast.NamedExpr(target=Name(id=to), value=value)
                | Call(func=Attribute(value=Name(id=to), attr="append"), args=[value])
                | ast.For(
                    target=Tuple(elts=[_, Name(id=to)]), iter=Call(func=Attribute(value=value, attr="items"))
                )
            ) if to == name:
                found.append(value)
            case Assign(targets=[Tuple(elts=targets)], value=value):
                places = [place for place, to in enumerate(targets) if isinstance(to, Name) and to.id == name]
                found += [ast.Subscript(value, Constant(place)) for place in places]
    return found


def returned(name: str, scope: Scope) -> list[tuple[ast.expr, Scope]]:
    """What a function of the module, or one that it imports, returns."""
    if origin := scope.module.whence(name):
        return returned(name, Scope(origin, seen=scope.seen))
    return [
        (node.value, scope._replace(around=(function,)))
        for function in scope.module.functions
        if function.name == name
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value
    ]


class Message(NamedTuple):
    """A pattern, where it is said, and by which expression."""

    kind: str
    pattern: str
    place: str
    expression: str

    @property
    def longest(self) -> str:
        """The beginning of its longest fixed part."""
        return max(self.pattern.split(HOLE), key=len).strip()[:SHOWN]

    @property
    def is_known(self) -> bool:
        """Whether anything of it can be read from the source."""
        return WORDS.search(self.pattern) is not None

    def __str__(self) -> str:
        return f"{self.place}: {self.pattern} [must show: {self.longest}]"


@cache
def messages() -> list[Message]:
    return [one for module in modules().values() for one in said_in(module.tree, Scope(module))]


def said_in(node: ast.AST, scope: Scope) -> Iterator[Message]:
    if isinstance(node, Call):
        for kind, expression, patterns in said_by(node, scope):
            place = f"{scope.module.path}:{expression.lineno}"
            tidy = (re.sub(f"{HOLE}+", HOLE, " ".join(one.split())) for one in patterns)
            yield from (Message(kind, one, place, ast.unparse(expression)) for one in tidy)
    if isinstance(node, FunctionDef | ast.ClassDef):
        scope = scope._replace(around=(*scope.around, node))
    for child in ast.iter_child_nodes(node):
        yield from said_in(child, scope)


def said_by(call: Call, scope: Scope) -> Iterator[tuple[str, ast.expr, list[str]]]:
    """What a call raises, logs, writes or records: the kind, the expression, and what that may say."""
    text = _Texts(scope)
    for keyword in call.keywords:
        if keyword.arg in ("message", "reason"):
            yield "error", keyword.value, text.visit(keyword.value)
    match call:
        case Call(func=Name(id="Reject"), args=[_, one, _]) | Call(func=Name(id="_Refused"), args=[one]):
            yield "reject", one, text.visit(one)
        case Call(func=Attribute(attr="warning" | "error" | "critical" | "exception"), args=[one, *more]):
            yield "warning", one, logged(text.visit(one), [filled(text.visit(value)) for value in more])
        case Call(func=Attribute(value=Attribute(attr="stdout" | "stderr" as to), attr="write"), args=[one]):
            yield to.replace("stderr", "error"), one, text.visit(one)
        case Call(func=func, args=[one, *_]) if makes_error(func, scope):
            yield "error", one, text.visit(one)


def makes_error(func: ast.expr, scope: Scope) -> bool:
    """Whether a call makes an exception: by its name, by a variable that holds one of several, as `super`."""
    match func:
        case Name(id=name):
            return bool(errors() & {name}.union(*(named(value) for value, _ in assigned(name, scope))))
        case Attribute(value=Call(func=Name(id="super"))):
            return any(isinstance(one, ast.ClassDef) and one.name in errors() for one in scope.around)
    return isinstance(func, Attribute) and func.attr in errors()


def logged(formats: list[str], arguments: list[list[str]]) -> list[str]:
    """A log's format with what fills it in."""
    for said in arguments:
        formats = [re.sub("%[a-z]", text, one, count=1) for one in formats for text in said]
    return formats


class Quote(NamedTuple):
    """A message as the page has it."""

    column: str
    text: str
    place: str

    def covers(self, message: Message) -> bool:
        """Whether whoever has the message in hand finds it here."""
        pattern = ".*".join(re.escape(part) for part in self.text.split(HOLE))
        shows = message.kind in QUOTED.get(self.column, set()) and message.longest in self.text
        return shows and re.fullmatch(pattern, message.pattern) is not None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@cache
def quotes() -> list[Quote]:
    """The code spans in the first column of the page's tables."""
    found, column, lines = [], "", RUNBOOK.read_text(encoding="utf-8").splitlines()
    for number, (line, below) in enumerate(pairwise([*lines, ""]), start=1):
        cell = line.split(" | ")[0].removeprefix("| ") if line.startswith("| ") else ""
        column = cell if below.startswith("|--") else column
        spans = re.findall(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", cell)
        found += [Quote(column, text.strip(), f"docs/runbook.md:{number}") for _, text in spans]
    return found


@pytest.mark.parametrize("kind", LEAST)
def test_every_message_is_in_the_runbook(kind: str) -> None:
    wanted = [one for one in messages() if one.kind == kind and one.is_known]
    missing = [str(one) for one in wanted if not any(quote.covers(one) for quote in quotes())]
    assert len({one.pattern for one in wanted}) >= LEAST[kind]
    assert not missing, "\n".join(["docs/runbook.md does not quote:", *missing])


def test_every_quote_is_in_the_source() -> None:
    ours = [quote for quote in quotes() if quote.column in QUOTED]
    stale = [str(quote) for quote in ours if not any(quote.covers(one) for one in messages())]
    assert not stale, "\n".join(["nothing in flows/, blocks/ and deploy/ says:", *stale])


def test_prefect_says_what_the_runbook_quotes() -> None:
    spec = find_spec("prefect")  # which does not import it
    site = Path(str(spec and spec.origin)).parents[1]
    said = "".join((site / path).read_text(encoding="utf-8") for path in PREFECT.split())
    quoted = [quote for quote in quotes() if quote.column == "Prefect says"]
    assert len(quoted) >= len(PREFECT.split())
    assert [str(one) for one in quoted for part in one.text.split(HOLE) if part.strip() not in said] == []


def test_what_the_source_does_not_fix_is_listed() -> None:
    unknown = [one for one in messages() if one.kind in LEAST and not one.is_known]
    assert {(one.place.split(":")[0], one.expression) for one in unknown} == PASSED_ON.keys()


def test_every_error_that_is_raised_is_known_as_one() -> None:
    nodes = [node for module in modules().values() for node in ast.walk(module.tree)]
    called = [node.exc.func for node in nodes if isinstance(node, ast.Raise) and isinstance(node.exc, Call)]
    raised = {ast.unparse(func).rpartition(".")[2] for func in called}
    assert {name for name in raised if name.strip("_")[0].isupper()} - errors() == set()
