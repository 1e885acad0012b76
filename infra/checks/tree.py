"""A module is a directory: its files read together, with what it declares by name."""

from dataclasses import dataclass, field
from pathlib import Path

import hcl


@dataclass(frozen=True)
class Finding:
    file: str
    line: int
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


@dataclass
class Item:
    """Something that a module declares: a block, and for a local value its expression."""
    file: str
    line: int
    block: hcl.Block | None
    value: hcl.Node | None = None

    @property
    def body(self):
        return self.block.body

    def argument(self, name):
        attribute = self.block.body.attributes.get(name)
        return attribute.value if attribute else None


@dataclass
class Module:
    path: Path
    variables: dict = field(default_factory=dict)
    locals: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    modules: dict = field(default_factory=dict)
    resources: dict = field(default_factory=dict)  # (type, name)
    data: dict = field(default_factory=dict)
    other: list = field(default_factory=list)

    def items(self):
        for group in (self.variables, self.locals, self.outputs, self.modules, self.resources, self.data):
            yield from group.values()
        yield from self.other


LABELS = {"resource": 2, "data": 2, "variable": 1, "output": 1, "module": 1, "provider": 1, "locals": 0, "terraform": 0}


def load(path, root, findings):
    module = Module(path)
    for file in sorted(path.glob("*.tf")):
        name = str(file.relative_to(root))
        try:
            body = hcl.read(file.read_text())
        except hcl.Wrong as e:
            findings.append(Finding(name, e.line, e.text))
            continue
        for attribute in body.attributes.values():
            findings.append(Finding(name, attribute.line, f"{attribute.name} stands outside of any block"))
        for block in body.blocks:
            declare(module, name, block, findings)
    return module


def declare(module, file, block, findings):
    if LABELS.get(block.kind) != len(block.labels):
        findings.append(Finding(file, block.line, f"a block {block.kind} with {len(block.labels)} labels is not known"))
        return
    groups = {"resource": module.resources, "data": module.data, "variable": module.variables, "output": module.outputs, "module": module.modules}
    if block.kind == "locals":
        for a in block.body.attributes.values():
            add(module.locals, a.name, Item(file, a.line, None, a.value), findings)
    elif block.kind in groups:
        name = tuple(block.labels) if len(block.labels) == 2 else block.labels[0]
        add(groups[block.kind], name, Item(file, block.line, block), findings)
    else:
        module.other.append(Item(file, block.line, block))


def add(group, name, item, findings):
    if name in group:
        findings.append(Finding(item.file, item.line, f"{name if isinstance(name, str) else '.'.join(name)} is declared twice, first in {group[name].file}:{group[name].line}"))
    group[name] = item
