"""What the comments beside the fields of a class say: their meanings, for the reference."""

import ast
import inspect
import io
import sys
import tokenize


def comments(model: type) -> dict[str, str]:
    """{field: the comment on its line, or the line above} of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        module = sys.modules.get(base.__module__)
        if module is None or not base.__module__.startswith("genprm."):
            continue
        source = inspect.getsource(base)
        beside: dict[int, str] = {}
        above: dict[int, str] = {}
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                alone = token.line.lstrip().startswith("#")
                (above if alone else beside)[token.start[0]] = token.string.lstrip("# ")
        body = ast.parse(source).body[0]
        assert isinstance(body, ast.ClassDef)
        for node in body.body:
            name = _assigned(node)
            comment = beside.get(node.end_lineno or node.lineno) or above.get(node.lineno - 1)
            if name and comment:
                found[name] = comment[:1].upper() + comment[1:] + "."
    return found


def _assigned(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None
