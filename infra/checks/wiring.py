"""What refers to what: variables, locals, modules, outputs, resources, loops and functions."""

import hcl
import kinds
from tree import Finding

FUNCTIONS = set("""abs ceil floor log max min parseint pow signum chomp endswith format formatlist indent join lower regex regexall replace
split startswith strcontains strrev substr title trim trimprefix trimsuffix trimspace upper alltrue anytrue chunklist coalesce coalescelist
compact concat contains distinct element flatten index keys length lookup matchkeys merge one range reverse setintersection setproduct
setsubtract setunion slice sort sum transpose values zipmap base64decode base64encode base64gzip csvdecode jsondecode jsonencode
textdecodebase64 textencodebase64 urlencode yamldecode yamlencode abspath dirname pathexpand basename file fileexists fileset filebase64
templatefile templatestring formatdate plantimestamp timeadd timecmp timestamp base64sha256 base64sha512 bcrypt filebase64sha256
filebase64sha512 filemd5 filesha1 filesha256 filesha512 md5 rsadecrypt sha1 sha256 sha512 uuid uuidv5 cidrhost cidrnetmask cidrsubnet
cidrsubnets can ephemeralasnull issensitive nonsensitive sensitive tobool tolist tomap tonumber toset tostring try type""".split())
PATHS = {"module", "root", "cwd"}
OWN = {"variable": {"type", "default", "description", "sensitive", "nullable", "ephemeral"}, "output": {"value", "description", "sensitive", "depends_on", "ephemeral"}}
MODULE = {"source", "version", "providers", "count", "for_each", "depends_on"}


class Wiring:
    def __init__(self, modules, schema, findings):
        self.modules, self.schema, self.findings = modules, schema, findings

    def find(self, item, line, text):
        self.findings.append(Finding(item.file, line, text))

    def run(self):
        for module in self.modules.values():
            self.used = set()
            self.edges = {}
            for name, item in self.nodes(module):
                self.node = name
                self.edges[name] = set()
                self.item(module, item)
            self.unused(module)
            self.cycles(module)
        self.module_cycles()

    def nodes(self, module):
        yield from (("local." + n, i) for n, i in module.locals.items())
        yield from (("module." + n, i) for n, i in module.modules.items())
        yield from ((".".join(n), i) for n, i in module.resources.items())
        yield from (("data." + ".".join(n), i) for n, i in module.data.items())
        yield from (("output." + n, i) for n, i in module.outputs.items())
        yield from (("var." + n, i) for n, i in module.variables.items())
        yield from ((f"{i.block.kind}.{k}", i) for k, i in enumerate(module.other))

    def item(self, module, item):
        if item.block is None:
            return self.visit(module, item, item.value, frozenset())
        block, body = item.block, item.block.body
        if block.kind in OWN:
            self.own(item)
        if block.kind == "module":
            self.call(module, item)
        scope = set()
        if "for_each" in body.attributes:
            scope.add("each")
        if "count" in body.attributes:
            scope.add("count")
        for attribute in body.attributes.values():
            if block.kind == "variable" and attribute.name == "type" or attribute.name == "providers":
                continue
            self.visit(module, item, attribute.value, frozenset() if attribute.name == "for_each" else frozenset(scope))
        for inner in body.blocks:
            self.block(module, item, inner, frozenset(scope))

    def own(self, item):
        for attribute in item.body.attributes.values():
            if attribute.name not in OWN[item.block.kind]:
                self.find(item, attribute.line, f"a {item.block.kind} has no {attribute.name}")
        for inner in item.body.blocks:
            if inner.kind not in ("validation", "precondition"):
                self.find(item, inner.line, f"a {item.block.kind} has no block {inner.kind}")
        if item.block.kind == "output" and "value" not in item.body.attributes:
            self.find(item, item.line, "an output needs a value")
        if item.block.kind == "variable":
            default = item.argument("default")
            try:
                for line, text in kinds.misfit(default, kinds.of(item.argument("type"))) if default else ():
                    self.find(item, line, text)
            except hcl.Wrong as e:
                self.find(item, e.line, e.text)

    def block(self, module, item, block, scope):
        if block.kind == "lifecycle":
            for attribute in block.body.attributes.values():
                if attribute.name not in ("ignore_changes",):
                    self.visit(module, item, attribute.value, scope)
            return
        if block.kind == "dynamic":
            iterator = block.body.attributes.get("iterator")
            each = block.body.attributes.get("for_each")
            if each:
                self.visit(module, item, each.value, scope)
            scope = scope | {iterator.value.root if iterator else block.labels[0]}
            for content in block.body.of("content"):
                self.block(module, item, content, scope)
            return
        for attribute in block.body.attributes.values():
            self.visit(module, item, attribute.value, scope)
        for inner in block.body.blocks:
            self.block(module, item, inner, scope)

    def visit(self, module, item, node, scope):
        if isinstance(node, hcl.For):
            self.visit(module, item, node.source, scope)
            for part in (node.key, node.value, node.condition):
                if part is not None:
                    self.visit(module, item, part, scope | set(node.words))
            return
        if isinstance(node, hcl.Call) and node.function not in FUNCTIONS:
            self.find(item, node.line, f"there is no function {node.function}")
        if isinstance(node, hcl.Name):
            self.name(module, item, node, scope)
        for child in hcl.children(node):
            self.visit(module, item, child, scope)

    def name(self, module, item, node, scope):
        root, steps = node.root, node.steps
        first = steps[0] if steps and isinstance(steps[0], str) else None
        if root in scope:
            if root == "each" and first not in ("key", "value"):
                self.find(item, node.line, f"each.{first} is neither each.key nor each.value")
            return
        if root == "path" and first in PATHS or root == "terraform" and first == "workspace":
            return
        if root in ("each", "count"):
            self.find(item, node.line, f"{root} is used where there is no {'for_each' if root == 'each' else 'count'}")
        elif root == "var":
            self.used.add(("var", first))
            if first not in module.variables:
                self.find(item, node.line, f"var.{first} is not declared")
            else:
                self.edges[self.node].add(f"var.{first}")
                self.typed(module, item, node, module.variables[first])
        elif root == "local":
            self.used.add(("local", first))
            if first not in module.locals:
                self.find(item, node.line, f"local.{first} is not declared")
            else:
                self.edges[self.node].add(f"local.{first}")
        elif root == "module":
            self.output(module, item, node)
        elif root == "data" or self.schema.provides(root):
            self.resource(module, item, node)
        else:
            self.find(item, node.line, f"{root} is not known here")

    def typed(self, module, item, node, variable):
        """Follows a path into a variable of known shape."""
        try:
            kind = kinds.of(variable.argument("type"))
        except hcl.Wrong:
            return
        for step in node.steps[1:]:
            if kind[0] in ("list", "set", "map"):
                kind = kind[1]
            elif kind[0] == "object" and isinstance(step, str):
                if step not in kind[1]:
                    return self.find(item, node.line, f"var.{node.steps[0]} has no {step}")
                kind = kind[1][step][0]
            elif kind[0] in ("string", "number", "bool"):
                return self.find(item, node.line, f"var.{node.steps[0]} is a {kind[0]} and has no parts")
            else:
                return

    def called(self, module, item):
        source = item.argument("source")
        if not isinstance(source, hcl.Literal):
            self.find(item, item.line, "a module needs a source that is written out")
            return None
        target = self.modules.get((module.path / source.value).resolve())
        if target is None:
            self.find(item, source.line, f"there is no module at {source.value}")
        return target

    def output(self, module, item, node):
        name = node.steps[0] if node.steps else None
        if name not in module.modules:
            return self.find(item, node.line, f"module.{name} is not declared")
        self.edges[self.node].add(f"module.{name}")
        call = module.modules[name]
        target = self.modules.get((module.path / call.argument("source").value).resolve()) if call.argument("source") else None
        rest = node.steps[1:]
        if rest and ("for_each" in call.body.attributes or "count" in call.body.attributes):
            rest = rest[1:]
        if target and rest and isinstance(rest[0], str) and rest[0] not in target.outputs:
            self.find(item, node.line, f"module.{name} has no output {rest[0]}")

    def call(self, module, item):
        target = self.called(module, item)
        if target is None:
            return
        given = {n: a for n, a in item.body.attributes.items() if n not in MODULE}
        for name, attribute in given.items():
            if name not in target.variables:
                self.find(item, attribute.line, f"module {item.block.labels[0]} has no variable {name}")
                continue
            try:
                for line, text in kinds.misfit(attribute.value, kinds.of(target.variables[name].argument("type"))):
                    self.find(item, line, f"{name}: {text}")
            except hcl.Wrong:
                pass
        for name, variable in target.variables.items():
            if "default" not in variable.body.attributes and name not in given:
                self.find(item, item.line, f"module {item.block.labels[0]} needs {name}")
        for inner in item.body.blocks:
            self.find(item, inner.line, f"a module has no block {inner.kind}")

    def resource(self, module, item, node):
        data = node.root == "data"
        path = node.steps if data else [node.root, *node.steps]
        if len(path) < 2 or not all(isinstance(p, str) for p in path[:2]):
            return self.find(item, node.line, "a resource is named by type and name")
        group, prefix = (module.data, "data.") if data else (module.resources, "")
        kind, name = path[:2]
        if (kind, name) not in group:
            return self.find(item, node.line, f"{prefix}{kind}.{name} is not declared")
        self.edges[self.node].add(f"{prefix}{kind}.{name}")
        many = {"for_each", "count"} & set(group[kind, name].body.attributes)
        rest = path[2:]
        if rest and many:
            if isinstance(rest[0], str):
                return self.find(item, node.line, f"{prefix}{kind}.{name} is many: say which, before .{rest[0]}")
            rest = rest[1:]
        elif rest and not isinstance(rest[0], str):
            return self.find(item, node.line, f"{prefix}{kind}.{name} is one and takes no index")
        if rest and isinstance(rest[0], str) and not self.schema.has(kind, data, rest[0]):
            self.find(item, node.line, f"{kind} has no attribute {rest[0]}")

    def unused(self, module):
        for group, word in ((module.variables, "var"), (module.locals, "local")):
            for name, item in group.items():
                if (word, name) not in self.used:
                    self.find(item, item.line, f"{word}.{name} is never used")

    def cycles(self, module):
        items = dict(self.nodes(module))
        for path in circles(self.edges):
            item = items[path[0]]
            # A variable's own validation may look at it.
            if path != [path[0]] or not path[0].startswith("var."):
                self.find(item, item.line, "refers to itself: " + " -> ".join([*path, path[0]]))

    def module_cycles(self):
        calls, first = {}, {}
        for path, module in self.modules.items():
            calls[path] = set()
            for item in module.modules.values():
                source = item.argument("source")
                if isinstance(source, hcl.Literal):
                    target = (path / source.value).resolve()
                    calls[path].add(target)
                    first[path, target] = item
        for circle in circles(calls):
            item = first[circle[0], circle[1] if len(circle) > 1 else circle[0]]
            self.find(item, item.line, "modules call each other in a circle: " + " -> ".join(p.name for p in [*circle, circle[0]]))


def circles(edges):
    """Each circle once, as far as a search in depth meets it."""
    state, found = {}, []

    def go(node, path):
        state[node] = 1
        for target in sorted(edges.get(node, ()), key=str):
            if state.get(target) == 1:
                found.append(path[path.index(target):])
            elif target not in state and target in edges:
                go(target, [*path, target])
        state[node] = 2

    for node in edges:
        if node not in state:
            go(node, [node])
    return found
