"""Types of variables, and whether a value that is written out can be one."""

import hcl


def of(node):
    """A type constraint as nested tuples: ("object", {name: (type, optional)}), ("list", type), ("string",)..."""
    match node:
        case None:
            return ("any",)
        case hcl.Name(_, root, []) if root in ("string", "number", "bool", "any"):
            return (root,)
        case hcl.Call(_, "list" | "set" | "map" as kind, [inner]):
            return (kind, of(inner))
        case hcl.Call(_, "tuple", [hcl.Tuple(_, items)]):
            return ("tuple", [of(i) for i in items])
        case hcl.Call(_, "object", [hcl.Object(_, items)]):
            return ("object", {k.value: field(v) for k, v in items})
    raise hcl.Wrong(node.line, "this is not a type")


def field(node):
    if isinstance(node, hcl.Call) and node.function == "optional":
        return of(node.arguments[0]), True
    return of(node), False


def misfit(value, kind):
    """Yields (line, text) for each part of a written-out value that cannot be converted; other expressions pass."""
    match value, kind:
        case hcl.Literal(_, None), _:
            return
        case hcl.Literal(line, v), ("list" | "set" | "map" | "object" | "tuple", *_):
            yield line, f"{v!r} is no {kind[0]}"
        case hcl.Literal(line, v), ("number",) if not number(v):
            yield line, f"{v!r} is no number"
        case hcl.Literal(line, v), ("bool",) if v not in (True, False, "true", "false") or isinstance(v, (int, float)) and not isinstance(v, bool):
            yield line, f"{v!r} is no bool"
        case (hcl.Tuple(line) | hcl.Object(line)), ("string" | "number" | "bool" as name,):
            yield line, f"a {'list' if isinstance(value, hcl.Tuple) else 'map'} is no {name}"
        case hcl.Tuple(line), ("map" | "object" as name, _):
            yield line, f"a list is no {name}"
        case hcl.Object(line), ("list" | "set" as name, _):
            yield line, f"a map is no {name}"
        case hcl.Tuple(_, items), ("list" | "set", inner):
            for item in items:
                yield from misfit(item, inner)
        case hcl.Object(_, items), ("map", inner):
            for _, item in items:
                yield from misfit(item, inner)
        case hcl.Object(line, items), ("object", fields):
            names = {k.value for k, _ in items if isinstance(k, hcl.Literal)}
            for k, v in items:
                if isinstance(k, hcl.Literal) and k.value not in fields:
                    yield k.line, f"{k.value} is not one of {', '.join(fields)}"
                elif isinstance(k, hcl.Literal):
                    yield from misfit(v, fields[k.value][0])
            for name, (_, optional) in fields.items():
                if not optional and name not in names:
                    yield line, f"{name} is missing"


def number(value):
    if isinstance(value, bool):
        return False
    try:
        float(value)
        return True
    except ValueError:
        return False
