"""Mutants of a module: its source with one operator, constant or statement changed.

Places are found in the syntax tree and changed in the text, so that a mutant differs from the module by
what was changed and by nothing else.  Annotations, decorators, assertions and what stands inside f-strings
are left alone: no behaviour that a test should hold hangs on them.
"""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from models.errors import HemostreamError

BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
NEGATION: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
TWINS = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "ceil": "floor",
    "floor": "ceil",
}
"""Functions, and methods, that are taken for one another."""
OPERATORS = ("compare", "arithmetic", "constant", "boolean", "return", "twin", "drop")
"""Kinds of mutants: comparisons flipped at the boundary and negated; ``+`` for ``-``; numbers one off and
flags turned; ``and`` for ``or``, conditions negated; ``return None``; ``min`` for ``max``; statements left
out."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of a module.

    Parameters
    ----------
    operator : str
        Its kind, of `OPERATORS`.
    line : int
        Where, from 1.
    source : str
        The whole module, changed.
    """

    operator: str
    line: int
    source: str

    def diff(self, original: str, name: str) -> str:
        """What was changed, as a unified diff without context."""
        lines = difflib.unified_diff(
            original.splitlines(), self.source.splitlines(), name, name, lineterm="", n=0
        )
        return "\n".join(list(lines)[2:])


def mutants(
    source: str, operators: tuple[str, ...] = OPERATORS, within: tuple[str, ...] = ()
) -> list[Mutant]:
    """Give every mutant of a module, in the order of its lines.

    Parameters
    ----------
    source : str
        The module.
    operators : tuple of str
        Which kinds.
    within : tuple of str
        Names of the module's functions and classes in which to look; empty for everywhere.

    Raises
    ------
    HemostreamError
        The module has no such function or class.
    """
    tree = ast.parse(source)
    same = ast.dump(tree)
    data = source.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[str, Mutant] = {}
    for node in chain.from_iterable(map(_nodes, _parts(tree, within))):
        for operator, place, text in _changes(node):
            if operator not in operators:
                continue
            assert place.end_lineno is not None
            assert place.end_col_offset is not None
            begin = starts[place.lineno - 1] + place.col_offset
            end = starts[place.end_lineno - 1] + place.end_col_offset
            changed = (data[:begin] + text.encode() + data[end:]).decode()
            if ast.dump(ast.parse(changed)) != same:
                found.setdefault(changed, Mutant(operator, place.lineno, changed))
    return sorted(found.values(), key=lambda mutant: mutant.line)


def _parts(tree: ast.Module, within: tuple[str, ...]) -> list[ast.AST]:
    """What is looked through: the module, or those of its functions and classes."""
    parts = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    if unknown := [name for name in within if name not in parts]:
        raise HemostreamError(f"No {', '.join(unknown)} in the module; it has {', '.join(parts)}.")
    return [parts[name] for name in within] if within else [tree]


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: an assertion too
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, str]]:
    """Kind, place and new text of each change of one node."""
    match node:
        case ast.Compare():
            for i, operator in enumerate(node.ops):
                for table in (BOUNDARY, NEGATION):
                    if other := table.get(type(operator)):
                        ops = [*node.ops[:i], other(), *node.ops[i + 1 :]]
                        yield "compare", node, _expression(ast.Compare(node.left, ops, node.comparators))
        case ast.BinOp() if other_op := ARITHMETIC.get(type(node.op)):
            yield "arithmetic", node, _expression(ast.BinOp(node.left, other_op(), node.right))
        case ast.AugAssign():
            if other_op := ARITHMETIC.get(type(node.op)):
                yield "arithmetic", node, ast.unparse(ast.AugAssign(node.target, other_op(), node.value))
            yield "drop", node, "pass"
        case ast.UnaryOp(op=ast.Not()):
            yield "boolean", node, _expression(node.operand)
        case ast.UnaryOp(op=ast.USub()):
            yield "arithmetic", node, _expression(node.operand)
        case ast.BoolOp():
            other_bool = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "boolean", node, _expression(ast.BoolOp(other_bool, node.values))
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):  # these are changed themselves
                yield "boolean", test, f"(not ({ast.unparse(test)}))"
        case ast.Constant(value=bool(flag)):
            yield "constant", node, str(not flag)
        case ast.Constant(value=int(number)):
            yield "constant", node, f"{number + 1}"
            yield "constant", node, f"({number - 1})"
        case ast.Constant(value=float(number)):
            yield "constant", node, repr(number * 1.5 if number else 1.0)
        case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
            if twin := TWINS.get(name):
                yield "twin", node, ast.unparse(node)[: -len(name)] + twin
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value in (None, True, False)):
                yield "return", node, "return None"
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield "drop", node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "drop", node, "pass"
        case ast.Continue():
            yield "drop", node, "break"
        case ast.Break():
            yield "drop", node, "continue"
        case _:
            pass


def _expression(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"
