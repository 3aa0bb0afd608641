"""No text that a program computes is handed to Textual as a plain str where Textual would read markup in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast.reviewer.tui

TUI = Path(holdfast.reviewer.tui.__file__).parent
SAFE_TYPES = {"Content", "Text"}
MARKUP_MAKERS = {"from_markup", "from_text", "render_str"}
"""They read markup even when called on a safe type; `from_markup("… $name", name=value)` is fine."""
WIDGETS = {
    *("Static", "Label", "Button", "Checkbox", "RadioButton", "Link", "Option", "Selection", "Tab", "TabPane"),
    *("Collapsible", "Digits", "Hit", "DiscoveryHit", "SystemCommand", "Input", "TextArea"),
}
EDITORS = {"Input", "TextArea"}
METHODS = {"update", "notify", "with_tooltip", "add_option", "add_column", "add_row", "panic", *MARKUP_MAKERS}
ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "label", "placeholder", "prompt", "help"}
PLAIN = {
    "id",
    "classes",
    "name",
    "variant",
    "severity",
    "score",
    "title",
    "type",
    "value",
    "text",
    "action",
    "command",
    "callback",
}
"""Keyword arguments that are not read as markup."""


class Module:
    """One module's calls and assignments that Textual reads markup in, unless what they pass is surely none."""

    def __init__(self, source: str, package: frozenset[str] = frozenset()) -> None:
        self.tree = ast.parse(source)
        self.known = package | contents_of(self.tree)

    def faults(self) -> Iterator[tuple[int, str]]:
        for owner, scope in _scopes(self.tree):
            if isinstance(scope, ast.FunctionDef) and scope.name == "render" and _named(scope.returns) == "str":
                yield scope.lineno, "render() returns a str"
            safe = self.known | _contents_in(scope, self.known)
            for node in _own_nodes(scope):
                if isinstance(node, ast.Call) and self._reads_markup(node, owner):
                    yield from ((node.lineno, ast.unparse(node)) for part in _passed(node) if not is_safe(part, safe))
                elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    set_here = any(isinstance(one, ast.Attribute) and one.attr in ATTRIBUTES for one in targets)
                    if set_here and not is_safe(node.value, safe):
                        yield node.lineno, ast.unparse(node)

    def _reads_markup(self, call: ast.Call, owner: ast.ClassDef | None) -> bool:
        name = _named(call.func)
        if name == "__init__":
            return owner is not None and any(_named(base) in WIDGETS - EDITORS for base in owner.bases)
        return name in METHODS if isinstance(call.func, ast.Attribute) else name in WIDGETS


def contents_of(tree: ast.AST) -> frozenset[str]:
    """The names of functions that return Content and of fields and parameters that hold it, wherever they are."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _named(node.returns) in SAFE_TYPES:
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and _named(node.annotation) in SAFE_TYPES:
            found.add(_named(node.target))
    return frozenset(found)


def is_safe(node: ast.expr, known: frozenset[str]) -> bool:
    """Whether an expression is a literal or surely no plain str."""
    match node:
        case ast.Constant() | ast.Lambda():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in known
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return is_safe(one, known) and is_safe(other, known)
        case ast.BoolOp(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(is_safe(part, known) for part in parts)
        case ast.Starred(value=value) | ast.NamedExpr(value=value):
            return is_safe(value, known)
        case ast.Call(func=ast.Attribute(attr=name, value=on), args=args) if name in MARKUP_MAKERS:
            return _named(on) in SAFE_TYPES and all(isinstance(arg, ast.Constant) for arg in args)
        case ast.Call(func=ast.Attribute(attr=name, value=on)):
            return (
                name in known or _named(on) in SAFE_TYPES or (not isinstance(on, ast.Constant) and is_safe(on, known))
            )
        case ast.Call(func=ast.Name(id=name)):
            return name in SAFE_TYPES or name in known
    return False


def _passed(call: ast.Call) -> Iterator[ast.expr]:
    """The arguments that may be read as markup."""
    if any(keyword.arg == "markup" and _is_false(keyword.value) for keyword in call.keywords):
        return
    name = _named(call.func)
    if name not in EDITORS:
        yield from call.args if name in WIDGETS else call.args[:1]
    skipped = PLAIN | {keyword.arg for keyword in call.keywords if name in MARKUP_MAKERS}
    yield from (
        keyword.value
        for keyword in call.keywords
        if keyword.arg not in skipped and (name not in EDITORS or keyword.arg in ATTRIBUTES)
    )


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _named(node: ast.AST | None) -> str:
    """The last name of a reference or annotation: `Content` of `content.Content | None` too."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.BinOp(left=left, right=ast.Constant(value=None)):
            return _named(left)
        case ast.Constant(value=str() as name):
            return name.split(".")[-1]
    return ""


Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module


def _scopes(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, Scope]]:
    """Every function with the class it stands in, and the module itself."""
    yield None, tree
    owners = {id(part): node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in node.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owners.get(id(node)), node


def _own_nodes(scope: Scope) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions inside it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _contents_in(scope: Scope, known: frozenset[str]) -> frozenset[str]:
    """The parameters and variables of a scope that only ever hold Content."""
    if isinstance(scope, ast.Module):
        return frozenset()
    arguments = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
    found = {argument.arg for argument in arguments if _named(argument.annotation) in SAFE_TYPES}
    plain: set[str] = set()
    for node in sorted(_own_nodes(scope), key=lambda node: getattr(node, "lineno", 0)):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            (found if is_safe(node.value, known | found) else plain).update(names)
    return frozenset(found - plain)


def _faults(source: str) -> list[str]:
    return [fault for _, fault in Module(source).faults()]


@pytest.mark.parametrize(
    "line",
    [
        "Static(text)",
        "Static(f'{count} left')",
        "yield Label(item.prompt, id='x')",
        "Static('a' + text)",
        "Static(content=text)",
        "Button(label)",
        "self.query_one(Static).update(str(count))",
        "self.notify(str(error))",
        "self.notify('{}'.format(error), severity='error')",
        "self.border_title = item.name",
        "self.tooltip = text if text else None",
        "Static(Content.from_markup(text))",
        "Content.from_markup(f'[b]{text}')",
        "Input(placeholder=text)",
        "Option(text, id='x')",
        "widget.update(render_str(text))",
        "class Note(Static):\n  def __init__(self, text: str) -> None:\n    super().__init__(text)",
        "class Note(Widget):\n  def render(self) -> str:\n    return self.text",
        "def f(text: str) -> None:\n  title = Content('a')\n  title = text\n  Static(title)",
    ],
)
def test_computed_text_is_found(line: str) -> None:
    assert _faults(line)


@pytest.mark.parametrize(
    "line",
    [
        "Static()",
        "Static('[b]Keys[/b]', id=name)",
        "Static(Content(text))",
        "Static(Content(text).stylize('bold'), classes=kind)",
        "Static(text, markup=False)",
        "Static(Content.from_markup('[b]$name[/b]', name=text))",
        "Static(Content('a') + Content(text) if text else Content(''))",
        "self.notify(text, markup=False, title=text)",
        "self.notify('saved')",
        "self.border_title = Content(text)",
        "self.query_one(Static).update(Content.assemble(('a', 'bold'), text))",
        "Input(value=text, placeholder='note')",
        "TextArea(text)",
        "def head(item: Item) -> Content:\n  ...\nStatic(head(item))\nStatic(self.head(item))",
        "class Line:\n  title: Content\nStatic(line.title)",
        "def f(title: Content | None) -> None:\n  Static(title)",
        "def f(text: str) -> None:\n  title = Content(text)\n  Static(title)",
        "class Note(Static):\n  def __init__(self, text: str) -> None:\n    super().__init__(text, markup=False)",
    ],
)
def test_literals_and_contents_pass(line: str) -> None:
    assert not _faults(line)


def test_the_screens_pass_no_computed_str() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(TUI.rglob("*.py"))}
    package = frozenset().union(*(contents_of(ast.parse(source)) for source in sources.values()))
    faults = [
        f"{path.relative_to(TUI)}:{line}: {fault}: pass Content(…) or markup=False"
        for path, source in sources.items()
        for line, fault in Module(source, package).faults()
    ]
    assert not faults, "\n".join(faults)
