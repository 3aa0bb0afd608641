"""Runs inside the jail, before and around a program that nobody trusts; sent there as code, never imported here.

The kernel's walls keep the program in. What this module adds on top is a report: which forbidden action was tried,
where an exception came from, whether the end was reached. The report goes through a pipe of its own, each line marked
with a number that the program is not told.
"""

from __future__ import annotations

import _thread
import builtins
import os
import resource
import sys
from _json import encode_basestring_ascii
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any

BEFORE, RESPONSE, CHECKS = "<before>", "<response>", "<checks>"
"""The parts of a program as tracebacks name them."""

_MOST_TEXT = 2_000
_STACK = 64 << 20
_LARGEST_INT_BITS = 8_192
Request = dict[str, Any]
Emit = Callable[..., None]


def main(request: Request, lock_down: Callable[[Request], None] | None, watcher: Callable[..., Any]) -> None:
    """Put the last limits on this process, run the parts of the program one after another, and say how it ended."""
    emit = _emitter(request["report"], request.pop("nonce"))
    try:
        _settle(request, lock_down)
    except BaseException as error:
        emit("unsafe", message=f"{type(error).__name__}: {error}")
        os._exit(70)
    _reserve.extend(bytes(4 << 20))
    emit("ready")
    out, err, leave = sys.stdout, sys.stderr, os._exit
    reached_end: list[tuple[str, str]] = []
    done = _thread.allocate_lock()
    done.acquire()
    sys.addaudithook(watcher(emit, request))
    _thread.stack_size(_STACK)
    _thread.start_new_thread(_work, (request, emit, reached_end, done))
    _thread.stack_size(0)
    done.acquire()
    for stream in (out, err):
        try:
            stream.flush()
        except Exception as error:
            emit("note", what=f"lost output: {type(error).__name__}")
    if reached_end:
        emit("done", type=reached_end[0][0], value=reached_end[0][1])
    leave(0)


def _settle(request: Request, lock_down: Callable[[Request], None] | None) -> None:
    if lock_down is not None:
        lock_down(request)
    elif os.getuid() == 0:
        become(request["uids"])
    for name, limit in request["limits"]:
        number = getattr(resource, name)
        _, hard = resource.getrlimit(number)
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # A second between the limits on CPU time: the first ends the program by a signal that has a name.
        resource.setrlimit(number, (soft, soft + 1 if name == "RLIMIT_CPU" else soft))
    if os.getuid() == 0:
        raise PermissionError("still root")
    sys.path.extend(request["site"])


def become(uids: list[int]) -> None:
    """Take the first of these user and group numbers that the name space knows."""
    os.setgroups([])
    for uid in uids:
        try:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            return
        except OSError:
            continue
    raise PermissionError("could not give up root")


def _emitter(report: int, nonce: bytes) -> Emit:
    """The function that writes one line of the report: JSON without the json module, which is slow to load."""
    write, encode = os.write, encode_basestring_ascii
    mark = nonce + b" "

    def emit(kind: str, **fields: Any) -> None:
        pairs = [f'"kind": "{kind}"']
        for name, value in fields.items():
            text = str(value)[:_MOST_TEXT].encode("utf-8", "backslashreplace").decode()
            pairs.append(f'"{name}": {encode(text)}')
        write(report, mark + ("{" + ", ".join(pairs) + "}\n").encode("ascii"))

    return emit


def _work(request: Request, emit: Emit, reached_end: list[tuple[str, str]], done: Any) -> None:
    """Run the parts in one namespace; on a stack of its own, so that no frame below it holds the report's mark."""
    try:
        module = ModuleType(request["module"])
        sys.modules[request["module"]] = module
        sys.modules["__main__"] = module
        namespace = vars(module)
        known = vars(builtins)
        known.update({"exit": sys.exit, "quit": sys.exit})
        pristine = dict(known)
        namespace["__builtins__"] = known
        for name, source in request["parts"]:
            if _restored(known, pristine) or namespace.get("__builtins__") is not known:
                emit("note", what="changes built-in functions")
            namespace["__builtins__"] = known
            if name == CHECKS:
                _tell_own(namespace, pristine, emit)
            if name == BEFORE:
                _run_quietly(source, namespace)
                continue
            if not _run_part(name, source, namespace, emit, may_exit=name == RESPONSE == request["parts"][-1][0]):
                return
        value = _described(namespace.get(request["value"], _MISSING)) if request["value"] else ("", "")
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        reached_end.append(value)
    except BaseException as error:
        emit("raised", type=type(error).__name__, message=_text(error), part="", line=0)
    finally:
        done.release()


def _restored(known: dict[str, Any], pristine: dict[str, Any]) -> bool:
    """Put the built-in functions back, using none of them; whether one had been changed."""
    changed = False
    for name in [*known, *pristine]:
        if name not in pristine or name not in known or known[name] is not pristine[name]:
            changed = True
    known.clear()
    known.update(pristine)
    return changed


def _tell_own(namespace: dict[str, Any], pristine: dict[str, Any], emit: Emit) -> None:
    """Name the built-in functions in whose place the checks would use the program's own."""
    for name, value in list(namespace.items()):
        if type(name) is str and name[:2] != "__" and name in pristine and value is not pristine[name]:
            emit("own", name=name)


_MISSING = object()
_reserve = bytearray()


def _run_quietly(source: str, namespace: dict[str, Any]) -> None:
    try:
        exec(compile(source, BEFORE, "exec", dont_inherit=True), namespace)
    except BaseException:
        return


def _run_part(name: str, source: str, namespace: dict[str, Any], emit: Emit, *, may_exit: bool) -> bool:
    """Run one part; whether what comes after it may run."""
    try:
        code: CodeType = compile(source, name, "exec", dont_inherit=True)
    except BaseException as error:
        # The parser's own limits come as MemoryError, whatever memory there is.
        _report(error, name, source, emit, memory=False)
        return False
    try:
        exec(code, namespace)
    except SystemExit as error:
        if may_exit and error.code in (None, 0):
            emit("note", what="sys.exit")
            return True
        emit("exited", part=name, code=str(error.code), line=_lines(error.__traceback__).get(name, 0))
        return False
    except BaseException as error:
        _report(error, name, source, emit)
        return False
    return True


def _report(error: BaseException, name: str, source: str, emit: Emit, *, memory: bool = True) -> None:
    memory = memory and isinstance(error, MemoryError)
    if memory:
        _reserve.clear()
    lines = _lines(error.__traceback__)
    line = error.lineno or 0 if isinstance(error, SyntaxError) and error.filename == name else lines.get(name, 0)
    others = {part: at for part, at in lines.items() if part != name}
    inner, inner_line = next(iter(others.items()), ("", 0))
    emit(
        "raised", type=type(error).__name__, message=_text(error), part=name, line=line, through=inner,
        through_line=inner_line, memory="yes" if memory else "",
    )  # fmt: skip
    if isinstance(error, AssertionError) and not inner:
        frame = _frame_of(error.__traceback__, name)
        if frame is not None:
            _compare_again(source, line, frame, emit)


def _lines(trace: TracebackType | None) -> dict[str, int]:
    """The innermost line of each part that an exception came through, by the part's name."""
    lines: dict[str, int] = {}
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in (RESPONSE, CHECKS):
            lines[name] = trace.tb_lineno
        trace = trace.tb_next
    return lines


def _frame_of(trace: TracebackType | None, name: str) -> FrameType | None:
    found = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            found = trace.tb_frame
        trace = trace.tb_next
    return found


def _compare_again(source: str, line: int, frame: FrameType, emit: Emit) -> None:
    """Say what the two sides of a failed `assert a == b` are, if they still differ when they are evaluated again."""
    import ast

    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assert) or not node.lineno <= line <= (node.end_lineno or node.lineno):
            continue
        emit("assertion", text=ast.unparse(node.test))
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            sides = [test.left, test.comparators[0]]
            if not _calls(sides[0]) and _calls(sides[1]):
                sides.reverse()
            values = [
                eval(compile(ast.Expression(side), "<again>", "eval"), frame.f_globals, frame.f_locals)
                for side in sides
            ]
            if values[0] != values[1]:
                emit("compared", text=ast.unparse(sides[0]), got=_repr(values[0]), expected=_repr(values[1]))
        return


def _calls(node: Any) -> bool:
    import ast

    return any(isinstance(each, ast.Call) for each in ast.walk(node))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return ""


def _repr(value: Any) -> str:
    try:
        return repr(value)[:_MOST_TEXT]
    except BaseException as error:
        return f"<{type(error).__name__} when shown>"


def _described(value: Any) -> tuple[str, str]:
    """A value's type and text; numbers of numpy and arrays of one element as the number they hold."""
    if value is _MISSING:
        return "missing", ""
    for _ in range(2):
        if isinstance(value, bool):
            return "bool", str(value)
        if isinstance(value, int):
            large = int.bit_length(value) > _LARGEST_INT_BITS
            return "int", f"an integer of {int.bit_length(value)} bits" if large else int.__repr__(value)
        if isinstance(value, float):
            return "float", float.__repr__(value)
        if isinstance(value, str):
            return "str", str(value)[:_MOST_TEXT]
        if not hasattr(value, "item") or getattr(value, "size", 0) != 1:
            break
        value = value.item()
    name = type(value).__name__
    return name, str(value)[:_MOST_TEXT] if name in ("Fraction", "Decimal") else _repr(value)
