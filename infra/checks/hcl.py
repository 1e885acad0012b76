"""Reads HCL into a tree in which every node knows its line.

Own, because the reader on PyPI keeps no lines; `terraform fmt -check` is the second opinion on the syntax.
"""

import functools
import re
from dataclasses import dataclass, field


class Wrong(Exception):
    def __init__(self, line, text):
        super().__init__(text)
        self.line, self.text = line, text


@dataclass
class Node:
    line: int


@dataclass
class Literal(Node):
    value: object  # str, int, float, bool or None


@dataclass
class Template(Node):
    parts: list


@dataclass
class Tuple(Node):
    items: list


@dataclass
class Object(Node):
    items: list  # of (key, value); a key that is a bare word is a Literal

    def get(self, name):
        return next((v for k, v in self.items if isinstance(k, Literal) and k.value == name), None)


@dataclass
class Name(Node):
    """A path: a root word and then words, or expressions in brackets; None is a splat."""
    root: str
    steps: list = field(default_factory=list)


@dataclass
class Of(Node):
    """Steps into something that is not a name, such as the result of a function."""
    inner: Node
    steps: list


@dataclass
class Call(Node):
    function: str
    arguments: list


@dataclass
class For(Node):
    words: list
    source: Node
    key: Node | None
    value: Node
    condition: Node | None


@dataclass
class Operation(Node):
    operator: str
    parts: list


@dataclass
class Attribute(Node):
    name: str
    value: Node


@dataclass
class Body(Node):
    attributes: dict = field(default_factory=dict)
    blocks: list = field(default_factory=list)

    def of(self, kind):
        return [b for b in self.blocks if b.kind == kind]


@dataclass
class Block(Node):
    kind: str
    labels: list
    body: Body


def children(node):
    match node:
        case Template(_, parts) | Operation(_, _, parts):
            return parts
        case Tuple(_, items):
            return items
        case Object(_, items):
            return [n for pair in items for n in pair]
        case Name(_, _, steps):
            return [s for s in steps if isinstance(s, Node)]
        case Of(_, inner, steps):
            return [inner] + [s for s in steps if isinstance(s, Node)]
        case Call(_, _, arguments):
            return arguments
        case For(_, _, source, key, value, condition):
            return [n for n in (source, key, value, condition) if n is not None]
        case Attribute(_, _, value):
            return [value]
        case Body(_, attributes, blocks):
            return [*attributes.values(), *blocks]
        case Block(_, _, _, body):
            return [body]
    return []


def walk(node):
    yield node
    for child in children(node):
        yield from walk(child)


TOKEN = re.compile(r"""
  (?P<space>[ \t\r]+ | \#[^\n]* | //[^\n]* | /\*.*?\*/)
| (?P<newline>\n)
| (?P<heredoc><<-?(?P<tag>[A-Za-z_]\w*)\n)
| (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
| (?P<word>[A-Za-z_][\w-]*)
| (?P<quote>")
| (?P<sign>\.\.\.|==|!=|<=|>=|&&|\|\||=>|[-+*/%<>!?:=.,()\[\]{}])
""", re.X | re.S)

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
PRECEDENCE = [("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%")]


class Reader:
    def __init__(self, text, line=1):
        self.text, self.at, self.line = text, 0, line
        self.tokens = []
        self.scan(None)
        self.here = 0

    def wrong(self, text, line=None):
        raise Wrong(line or self.line, text)

    # Tokens: (kind, value, line); a string is one token whose value is its parts.
    def scan(self, end):
        depth = 0
        while self.at < len(self.text):
            m = TOKEN.match(self.text, self.at)
            if not m:
                self.wrong(f"cannot read {self.text[self.at:self.at + 12]!r}")
            kind, value, line = m.lastgroup if m.lastgroup != "tag" else "heredoc", m.group(), self.line
            self.at = m.end()
            self.line += value.count("\n")
            if kind == "space":
                continue
            if kind == "quote":
                self.tokens.append(("string", self.string(), line))
            elif kind == "heredoc":
                self.tokens.append(("string", self.heredoc(m.group("tag")), line))
            else:
                if value == "{":
                    depth += 1
                if value == "}":
                    if end and depth == 0:
                        return
                    depth -= 1
                self.tokens.append((kind, value, line))
        if end:
            self.wrong("a ${ is not closed")
        self.tokens.append(("end", "", self.line))

    def string(self):
        parts, text, begun = [], "", self.line
        while True:
            if self.at >= len(self.text) or self.text[self.at] == "\n":
                self.wrong("a string is not closed", begun)
            c = self.text[self.at]
            if c == '"':
                self.at += 1
                return [*parts, text] if text or not parts else parts
            if c == "\\":
                text += ESCAPES.get(self.text[self.at + 1], self.text[self.at + 1])
                self.at += 2
            elif self.text.startswith(("$${", "%%{"), self.at):
                text += self.text[self.at + 1:self.at + 3]
                self.at += 3
            elif self.text.startswith("${", self.at):
                parts += [text] if text else []
                text = ""
                parts.append(self.inner())
            else:
                text += c
                self.at += 1

    def inner(self):
        """The expression in ${...}, read by a reader of its own."""
        self.at += 2
        outer, self.tokens = self.tokens, []
        self.scan("}")
        tokens, self.tokens = self.tokens, outer
        inner = Reader.__new__(Reader)
        inner.text, inner.at, inner.line, inner.here = "", 0, self.line, 0
        inner.tokens = [*tokens, ("end", "", self.line)]
        return inner.expression()

    def heredoc(self, tag):
        parts, begun = [], self.line
        while True:
            end = self.text.find("\n", self.at)
            if end < 0:
                self.wrong(f"the end of <<{tag} is missing", begun)
            line = self.text[self.at:end]
            if line.strip() == tag:
                self.at = end
                return parts or [""]
            pieces = re.split(r"(?<!\$)\$\{", line)
            if len(pieces) == 1:
                parts.append(line + "\n")
                self.at = end + 1
            else:
                for _ in pieces[1:]:
                    start = self.text.index("${", self.at)
                    parts.append(self.text[self.at:start])
                    self.at = start
                    parts.append(self.inner())
                end = self.text.index("\n", self.at)
                parts.append(self.text[self.at:end + 1])
                self.at = end + 1
            self.line += 1

    # The grammar.
    def peek(self, skip=False):
        while skip and self.tokens[self.here][0] == "newline":
            self.here += 1
        return self.tokens[self.here]

    def next(self, skip=False):
        token = self.peek(skip)
        self.here += 1
        return token

    def take(self, value, skip=False):
        if self.peek(skip)[1] == value and self.peek()[0] in ("sign", "word"):
            self.here += 1
            return True
        return False

    def need(self, value, skip=False):
        token = self.next(skip)
        if token[1] != value:
            self.wrong(f"{value!r} is missing before {token[1]!r}", token[2])
        return token

    def body(self, closed):
        body = Body(self.peek()[2])
        while True:
            kind, value, line = self.next(skip=True)
            if kind == "end" and not closed or value == "}" and closed and kind == "sign":
                return body
            if kind != "word":
                self.wrong(f"an argument or block is missing before {value!r}", line)
            if self.take("="):
                if value in body.attributes:
                    self.wrong(f"{value} is set twice", line)
                body.attributes[value] = Attribute(line, value, self.expression())
                if self.peek()[0] not in ("newline", "end") and self.peek()[1] != "}":
                    self.wrong(f"a new line is missing after {value}", self.peek()[2])
                continue
            labels = []
            while self.peek()[0] in ("string", "word"):
                label = self.next()
                labels.append(label[1] if label[0] == "word" else "".join(label[1]))
            self.need("{")
            body.blocks.append(Block(line, value, labels, self.body(True)))

    def expression(self):
        condition = self.operation(0)
        if not self.take("?", self.inside()):
            return condition
        yes = self.expression_in()
        self.need(":", True)
        return Operation(condition.line, "?", [condition, yes, self.expression_in()])

    def expression_in(self):
        self.peek(skip=True)
        return self.expression()

    depth = 0

    def inside(self):
        """New lines mean nothing inside brackets."""
        return self.depth > 0

    def operation(self, level):
        if level == len(PRECEDENCE):
            return self.unary()
        left = self.operation(level + 1)
        while self.peek(self.inside())[0] == "sign" and self.peek()[1] in PRECEDENCE[level]:
            operator = self.next()[1]
            self.peek(skip=True)
            left = Operation(left.line, operator, [left, self.operation(level + 1)])
        return left

    def unary(self):
        kind, value, line = self.peek()
        if kind == "sign" and value in "-!":
            self.next()
            inner = self.unary()
            if value == "-" and isinstance(inner, Literal):
                return Literal(line, -inner.value)
            return Operation(line, value, [inner])
        return self.path(self.primary())

    def path(self, node):
        steps = []
        while True:
            if self.take("."):
                kind, value, line = self.next()
                if kind not in ("word", "number") and value != "*":
                    self.wrong(f"a name is missing before {value!r}", line)
                steps.append(None if value == "*" else value)
            elif self.peek()[1] == "[" and self.peek()[0] == "sign":
                self.next()
                self.depth += 1
                if self.take("*"):
                    steps.append(None)
                else:
                    steps.append(self.expression_in())
                self.need("]", True)
                self.depth -= 1
            else:
                break
        if isinstance(node, Name):
            node.steps += steps
            return node
        return Of(node.line, node, steps) if steps else node

    def primary(self):
        kind, value, line = self.next()
        if kind == "number":
            return Literal(line, float(value) if re.search("[.eE]", value) else int(value))
        if kind == "string":
            if all(isinstance(part, str) for part in value):
                return Literal(line, "".join(value))
            return Template(line, [Literal(line, p) if isinstance(p, str) else p for p in value])
        if kind == "word":
            if value in ("true", "false", "null"):
                return Literal(line, {"true": True, "false": False, "null": None}[value])
            if self.peek()[1] == "(" and self.peek()[0] == "sign":
                return self.call(value, line)
            return Name(line, value)
        if value in ("(", "[", "{") and kind == "sign":
            self.depth += 1
            node = {"(": self.brackets, "[": self.tuple, "{": self.object}[value](line)
            self.depth -= 1
            return node
        self.wrong(f"a value is missing before {value!r}", line)

    def brackets(self, _line):
        node = self.expression_in()
        self.need(")", True)
        return node

    def call(self, name, line):
        self.next()
        self.depth += 1
        arguments = []
        while not self.take(")", True):
            arguments.append(self.expression_in())
            self.take("...", True)
            if not self.take(",", True):
                self.need(")", True)
                break
        self.depth -= 1
        return Call(line, name, arguments)

    def tuple(self, line):
        if self.peek(True)[1] == "for" and self.peek()[0] == "word":
            return self.loop(line, "]")
        items = []
        while not self.take("]", True):
            items.append(self.expression_in())
            if not self.take(",", True):
                self.need("]", True)
                break
        return Tuple(line, items)

    def object(self, line):
        if self.peek(True)[1] == "for" and self.peek()[0] == "word":
            return self.loop(line, "}")
        # Here a new line ends an entry, as a comma does.
        outer, self.depth = self.depth, 0
        items = []
        while not self.take("}", True):
            key = self.expression()
            if isinstance(key, Name) and not key.steps:
                key = Literal(key.line, key.root)
            if not self.take("="):
                self.need(":")
            items.append((key, self.expression_in()))
            if not self.take(",") and self.peek()[0] != "newline":
                self.need("}")
                break
        self.depth = outer
        return Object(line, items)

    def loop(self, line, end):
        self.next()
        words = [self.next(True)[1]]
        if self.take(",", True):
            words.append(self.next(True)[1])
        self.need("in", True)
        source = self.expression_in()
        self.need(":", True)
        key, value = None, self.expression_in()
        if end == "}":
            self.need("=>", True)
            key, value = value, self.expression_in()
            self.take("...", True)
        condition = self.expression_in() if self.take("if", True) else None
        self.need(end, True)
        return For(line, words, source, key, value, condition)


@functools.lru_cache(maxsize=None)
def read(text):
    """The tree of a file. Nobody changes a tree, so one is enough for each text."""
    reader = Reader(text)
    return reader.body(False)


def expression(text):
    return Reader(text).expression_in()
