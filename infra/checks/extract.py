"""Makes a compact index of the provider's schema out of the package's .jsii. usage: extract.py PACKAGE_DIRECTORY INDEX.json.gz

The index has `resource`, `data` and `provider` (type -> name of a struct, and what it computes) and `structs`
(name -> argument -> type, whether it must be given, whether it is a block). Types: "string", "number", "bool", "any",
["list" | "set" | "map", type], ["struct", name].
"""

import gzip
import json
import re
import sys

LINK = re.compile(r"docs(?:/(resources|data-sources)/[\w-]+)?(?:/index)?#(\w+) ")
TYPE = re.compile(r"/docs/(resources|data-sources)/[\w-]+ (aws_\w+)\}")
META = {"connection", "count", "dependsOn", "forEach", "lifecycle", "provider", "provisioners"}
BASE = "@cdktf/provider-aws."


class Extract:
    def __init__(self, types):
        self.types = types
        self.index = {"resource": {}, "data": {}, "provider": {}, "structs": {}}

    def run(self):
        for type_ in self.types.values():
            if type_["kind"] != "class":
                continue
            if type_.get("base") in ("cdktf.TerraformResource", "cdktf.TerraformDataSource"):
                m = TYPE.search(type_["docs"]["summary"])
                group = "data" if type_["base"] == "cdktf.TerraformDataSource" else "resource"
                self.index[group][m.group(2)] = {"arguments": self.struct(config(type_)), "computed": self.computed(type_)}
            elif type_.get("base") == "cdktf.TerraformProvider":
                self.index["provider"]["aws"] = {"arguments": self.struct(config(type_)), "computed": {}}
        return self.index

    def struct(self, fqn):
        name = fqn.removeprefix(BASE)
        if name not in self.index["structs"]:
            self.index["structs"][name] = fields = {}
            for p in self.types[fqn].get("properties", []):
                if p["name"] in META:
                    continue
                docs = p.get("docs", {})
                text = docs.get("summary", "") + " " + docs.get("remarks", "")
                m = LINK.search(text)
                own = m.group(2) if m else snake(p["name"])
                fields[own] = {"type": self.type(p["type"])}
                if not p.get("optional"):
                    fields[own]["required"] = True
                if re.match(r"\w+ block\.", docs.get("summary", "")):
                    fields[own]["block"] = True
        return name

    def type(self, type_):
        if "primitive" in type_:
            return {"boolean": "bool"}.get(type_["primitive"], type_["primitive"])
        if "collection" in type_:
            kind = {"array": "list", "map": "map"}[type_["collection"]["kind"]]
            return [kind, self.type(type_["collection"]["elementtype"])]
        if "union" in type_:
            choices = [t for t in type_["union"]["types"] if t.get("fqn") != "cdktf.IResolvable"]
            return self.type(choices[0])
        fqn = type_["fqn"]
        return ["struct", self.struct(fqn)] if fqn.startswith(BASE) else {"cdktf.IResolvable": "bool"}.get(fqn, "any")

    def computed(self, class_):
        """What can be read of a resource, besides its arguments."""
        names = {p["name"] for p in class_.get("properties", [])}
        found = {}
        for p in class_.get("properties", []):
            name = p["name"]
            if p.get("static") or name.endswith("Input") and name.removesuffix("Input") in names or name == "cdktfProperties":
                continue
            if name + "Input" not in names:
                found[snake(name)] = self.output(p["type"])
        return found

    def output(self, type_):
        if "primitive" in type_ or "collection" in type_:
            return self.type(type_)
        fqn = type_["fqn"]
        if not fqn.startswith(BASE):
            return {"cdktf.StringMap": ["map", "string"], "cdktf.NumberMap": ["map", "number"], "cdktf.BooleanMap": ["map", "bool"], "cdktf.IResolvable": "bool"}.get(fqn, "any")
        if fqn.endswith("List"):
            return ["list", self.part(fqn.removesuffix("List") + "OutputReference")]
        return self.part(fqn)

    def part(self, fqn):
        if fqn not in self.types:
            return "any"
        name = fqn.removeprefix(BASE)
        if name not in self.index["structs"]:
            self.index["structs"][name] = {}
            self.index["structs"][name] = {n: {"type": t} for n, t in self.computed(self.types[fqn]).items() if n not in ("internal_value", "fqn")}
        return ["struct", name]


def config(class_):
    return next(p["type"]["fqn"] for p in class_["initializer"]["parameters"] if p["name"] == "config")


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def main(package, target):
    with open(package + "/.jsii", "rb") as file:
        types = json.load(file)["types"]
    index = Extract(types).run()
    with gzip.open(target, "wt") as file:
        json.dump(index, file, separators=(",", ":"))
    print(f"schema: {len(index['resource'])} resources, {len(index['data'])} data sources", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
