"""A stand-in for the AWS provider that knows its schema and nothing else, so that Terraform itself can validate infra/ and run
its tests with mocked answers. Speaks Terraform's plugin protocol 6 over a socket; messages are written by hand, because of the
whole protocol only the schema matters. usage: standin.py SCHEMA SOCKET TYPES_FILE; prints "ready"."""

import json
import sys
from concurrent import futures

import grpc

from schema import Schema

SINGLE_IN_LIST, LIST = (2, 1), (2, 0)  # nesting mode, most blocks


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n) if n else b""


def text(field, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


class Messages:
    def __init__(self, schema):
        self.schema = schema

    def type(self, type_):
        """As cty writes types in JSON."""
        match type_:
            case ["list" | "set" | "map" as kind, inner]:
                return [kind, self.type(inner)]
            case ["struct", name]:
                return ["object", {n: self.type(f["type"]) for n, f in self.schema.fields(name).items()}]
            case "any":
                return "dynamic"
        return type_

    def attribute(self, name, type_, required, optional):
        flags = number(4, required) + number(5, optional) + number(6, not required)
        return text(2, text(1, name) + text(2, json.dumps(self.type(type_))) + flags)

    def block(self, struct, computed=None):
        out = b""
        for name, field in self.schema.fields(struct).items():
            if not field.get("block"):
                out += self.attribute(name, field["type"], bool(field.get("required")), not field.get("required"))
                continue
            single = field["type"][0] == "struct"
            mode, most = SINGLE_IN_LIST if single else LIST
            inner = field["type"][1] if single else field["type"][1][1]
            out += text(3, text(1, name) + text(2, self.block(inner)) + number(3, mode) + number(4, bool(field.get("required"))) + number(5, most))
        for name, type_ in (computed or {}).items():
            if name not in self.schema.fields(struct):
                out += self.attribute(name, type_, False, False)
        return out

    def whole(self, entry):
        return text(2, self.block(entry["arguments"], entry["computed"]))

    def answer(self, types):
        out = text(1, self.whole(self.schema.entry("provider", "aws")))
        for field, group in ((2, "resource"), (3, "data")):
            for kind in types[group]:
                entry = self.schema.entry(group, kind)
                if entry:
                    out += text(field, text(1, kind) + text(2, self.whole(entry)))
        # The schema stays the same, so once is enough.
        return out + text(6, number(2, True))


def serve(schema, socket, types):
    answer = Messages(Schema(schema)).answer(types)

    def method(reply):
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: reply)

    nothing = ("ValidateProviderConfig", "ValidateResourceConfig", "ValidateDataResourceConfig", "StopProvider")
    handlers = {"GetProviderSchema": method(answer)} | {name: method(b"") for name in nothing}
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(4), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tfplugin6.Provider", handlers),))
    server.add_insecure_port("unix:" + socket)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    with open(sys.argv[3]) as file:
        serve(sys.argv[1], sys.argv[2], json.load(file))
