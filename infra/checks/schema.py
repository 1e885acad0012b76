"""The provider's published schema, and blocks compared with it."""

import gzip
import json

import hcl
import kinds
from tree import Finding

META = {"resource": {"count", "for_each", "provider", "depends_on"}, "data": {"count", "for_each", "provider", "depends_on"}, "provider": {"alias"}}
LIFECYCLE = {"create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"}


class Schema:
    def __init__(self, path):
        with gzip.open(path, "rt") as file:
            self.index = json.load(file)

    def provides(self, kind):
        return kind.startswith("aws_")

    def entry(self, group, kind):
        return self.index[group].get(kind)

    def fields(self, struct):
        return self.index["structs"][struct]

    def has(self, kind, data, attribute):
        entry = self.entry("data" if data else "resource", kind)
        return entry is None or attribute in entry["computed"] or attribute in self.fields(entry["arguments"])


class Names:
    """Every resource, data source, block and argument by name and type."""

    def __init__(self, modules, schema, findings):
        self.modules, self.schema, self.findings = modules, schema, findings
        self.compared = 0

    def run(self):
        for module in self.modules.values():
            for item in module.items():
                if item.block is None or item.block.kind not in META:
                    continue
                kind = item.block.labels[0]
                entry = self.schema.entry(item.block.kind, kind)
                if entry is None:
                    self.find(item, item.line, f"the provider has no {'data source' if item.block.kind == 'data' else item.block.kind} {kind}{near(kind, self.schema.index[item.block.kind])}")
                    continue
                self.body(item, item.block.body, entry["arguments"], kind, META[item.block.kind])

    def find(self, item, line, text):
        self.findings.append(Finding(item.file, line, text))

    def body(self, item, body, struct, where, meta=frozenset()):
        fields = self.schema.fields(struct)
        given = set(body.attributes)
        for name, attribute in body.attributes.items():
            self.compared += 1
            if name in meta:
                continue
            field = fields.get(name)
            if field is None:
                self.find(item, attribute.line, f"{where} has no argument {name}{near(name, fields)}")
            elif field.get("block"):
                self.find(item, attribute.line, f"{where}: {name} is a block, not an argument")
            else:
                for line, text in kinds.misfit(attribute.value, self.kind(field["type"])):
                    self.find(item, line, f"{where}: {name}: {text}")
        counts = {}
        for block in body.blocks:
            self.compared += 1
            if block.kind == "lifecycle" and meta:
                self.lifecycle(item, block, fields)
                continue
            name = block.labels[0] if block.kind == "dynamic" and block.labels else block.kind
            given.add(name)
            field = fields.get(name)
            if field is None or not field.get("block"):
                self.find(item, block.line, f"{where} has no block {name}{near(name, fields)}")
                continue
            counts[name] = counts.get(name, 0) + 1
            if counts[name] > 1 and field["type"][0] != "list":
                self.find(item, block.line, f"{where}: one block {name} is all that there may be")
            inner = field["type"][1] if field["type"][0] == "struct" else field["type"][1][1]
            for content in self.contents(item, block):
                self.body(item, content, inner, f"{where}.{name}")
        for name, field in fields.items():
            if field.get("required") and name not in given:
                self.find(item, body.line, f"{where} needs {'a block ' if field.get('block') else ''}{name}")

    def contents(self, item, block):
        if block.kind != "dynamic":
            return [block.body]
        if "for_each" not in block.body.attributes or len(block.body.of("content")) != 1:
            self.find(item, block.line, "a dynamic block needs for_each and one content")
        return [content.body for content in block.body.of("content")]

    def lifecycle(self, item, block, fields):
        for name, attribute in block.body.attributes.items():
            if name not in LIFECYCLE:
                self.find(item, attribute.line, f"lifecycle has no {name}{near(name, LIFECYCLE)}")
            if name == "ignore_changes" and isinstance(attribute.value, hcl.Tuple):
                for entry in attribute.value.items:
                    if isinstance(entry, hcl.Name) and entry.root not in fields:
                        self.find(item, entry.line, f"ignore_changes names {entry.root}, which is no argument")

    def kind(self, type_, depth=0):
        match type_:
            case ["list" | "set" | "map" as kind, inner]:
                return (kind, self.kind(inner, depth))
            case ["struct", name]:
                if depth > 8:
                    return ("any",)
                return ("object", {n: (self.kind(f["type"], depth + 1), not f.get("required")) for n, f in self.schema.fields(name).items()})
        return (type_,)


def near(name, names):
    import difflib
    close = difflib.get_close_matches(name, names, 1)
    return f"; is it {close[0]}?" if close else ""
