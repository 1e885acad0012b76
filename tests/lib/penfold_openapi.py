"""The description of the API as something to check answers against. Needs jsonschema."""
import copy
import re

import jsonschema

METHODS = ("get", "post", "patch", "put", "delete")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def _date_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


class Description:
    def __init__(self, document):
        self.document = document
        # What is not described is not said: an answer has no other fields.
        self.components = copy.deepcopy(document["components"])
        schemas = self.components["schemas"]
        parts = {part.get("$ref", "").rsplit("/", 1)[-1] for schema in schemas.values() for part in schema.get("allOf", [])}
        for name, schema in schemas.items():
            if schema.get("allOf"):
                schema.setdefault("unevaluatedProperties", False)
            elif schema.get("properties") and name not in parts:
                schema.setdefault("additionalProperties", False)

    def operations(self):
        """(method, path, operation)"""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def takes_json(self, operation):
        return "application/json" in operation.get("requestBody", {}).get("content", {})

    def example(self, operation):
        """Of the body: by itself, or of its schema."""
        _, content = self.body(operation)
        if "example" in content:
            return content["example"]
        name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        return self.document["components"]["schemas"].get(name, {}).get("example")

    @staticmethod
    def body(operation):
        """(its media type, its description)"""
        return next(iter(operation["requestBody"]["content"].items()))

    def faults(self, schema, value):
        validator = jsonschema.Draft202012Validator({**schema, "components": self.components}, format_checker=FORMATS)
        return [f"{'/'.join(map(str, one.absolute_path)) or 'it'}: {one.message[:300]}" for one in validator.iter_errors(value)][:3]

    def answer_faults(self, operation, answer):
        """What of an answer is not as it is described."""
        described = operation["responses"].get(str(answer.status), operation["responses"].get("default") if answer.status >= 400 else None)
        if described is None:
            return [f"{answer.status} is not described"]
        content, kind = described.get("content", {}), answer.fields.get("content-type", "").split(";")[0]
        if not content:
            return [f"a body where none is described: {answer.text[:200]}"] if answer.text else []
        if kind not in content:
            return [f"it is {kind or 'nothing'}, and described as {' or '.join(content)}"]
        if "json" not in kind:
            return [] if answer.text else ["it is empty"]
        faults = self.faults(content[kind]["schema"], answer.body)
        if answer.status >= 400 and answer.body.get("status") != answer.status:
            faults.append(f"it says that it is {answer.body.get('status')}")
        return faults
