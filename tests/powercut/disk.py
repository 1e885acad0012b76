"""A disk that forgets: replays a trace of the shim up to a cut and writes out a directory that a power cut could have left.

A file's bytes are safe up to the begin of the last sync that ended before the cut. A name is safe once its directory was synced (`strict`), or
metadata reaches the disk in its order (`journal`, as with ext4), or each directory for itself got somewhere (`mixed`). Of what was not safe,
each file keeps nothing, all, a part with a torn end (missing, zeroed or garbage), or an arbitrary choice of its writes.
"""
import os
import struct

PAGE = 4096
NAMES = ("strict", "journal", "mixed")
DATA = ("none", "torn", "any", "all")


class Image:
    """Sparse bytes."""

    def __init__(self, other=None):
        self.pages, self.size = (dict(other.pages), other.size) if other else ({}, 0)

    def write(self, at, data):
        self.size = max(self.size, at + len(data))
        pos = 0
        while pos < len(data):
            number, inside = divmod(at + pos, PAGE)
            n = min(PAGE - inside, len(data) - pos)
            page = bytearray(self.pages.get(number, bytes(PAGE)))
            page[inside:inside + n] = data[pos:pos + n]
            self.pages[number] = bytes(page)
            pos += n

    def resize(self, size):
        if size < self.size:
            last, inside = divmod(size, PAGE)
            for number in [n for n in self.pages if n > last or (n == last and not inside)]:
                del self.pages[number]
            if last in self.pages:
                self.pages[last] = self.pages[last][:inside] + bytes(PAGE - inside)
        self.size = size

    def apply(self, op):
        if op[0] == "W":
            self.write(op[1], op[2])
        else:
            self.resize(op[1])

    def save(self, path):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(fd, self.size)
        for number, page in self.pages.items():
            os.pwrite(fd, page[:max(0, min(PAGE, self.size - number * PAGE))], number * PAGE)
        os.close(fd)


class Node:
    """A file (`safe` is an Image) or a directory (`safe` maps names to nodes), and what was done to it since, in order."""

    def __init__(self, directory):
        self.directory, self.safe, self.since, self.dropped, self.begun = directory, {} if directory else Image(), [], 0, {}

    def sync_begins(self, key):
        self.begun[key] = self.dropped + len(self.since)

    def sync_ends(self, key):
        upto = self.begun.pop(key, None)
        n = 0 if upto is None else max(0, upto - self.dropped)
        for op in self.since[:n]:
            self.safe.apply(op) if not self.directory else rename_in(self.safe, op)
        del self.since[:n]
        self.dropped += n


def rename_in(names, op):
    """op: (order, name removed or None, name set or None, node)"""
    _, gone, new, node = op
    if gone is not None:
        names.pop(gone, None)
    if new is not None:
        names[new] = node


class Unmodelled(AssertionError):
    """The server changed the disk in a way that the model does not know."""


class Disk:
    HEAD = struct.Struct("<c7Q")

    def __init__(self, trace):
        with open(trace, "rb") as f:
            self.trace = f.read()
        self.at, self.order, self.root, self.drop_after = 0, 0, Node(True), None
        self.inodes, self.names, self.journalled = {}, {"": self.root}, 0
        self.counts, self.pending_journal = {}, {}

    def records(self, start=0):
        at = start
        while at + self.HEAD.size <= len(self.trace):
            kind, ino, a, b, size, _, pid, _ = self.HEAD.unpack_from(self.trace, at)
            end = at + self.HEAD.size + size
            if end > len(self.trace):
                return
            yield end, kind.decode(), ino, a, b, pid, self.trace[at + self.HEAD.size:end]
            at = end

    def replay(self, cut):
        """On to the last whole record that ends at or before `cut`."""
        for end, kind, ino, a, b, pid, data in self.records(self.at):
            if end > cut:
                break
            self.at = end
            self.counts[kind] = self.counts.get(kind, 0) + 1
            getattr(self, "on_" + kind)(ino, a, b, pid, data)

    def _split(self, path):
        up, _, name = path.rpartition("/")
        return self.names[up], name

    def _change(self, directory, gone, new, node):
        self.order += 1
        directory.since.append((self.order, gone, new, node))

    def on_C(self, ino, a, b, pid, data):
        path = data.split(b"\0")[0].decode()
        node = self.inodes[ino] = self.names[path] = Node(False)
        directory, name = self._split(path)
        self._change(directory, None, name, node)

    def on_O(self, ino, truncated, b, pid, data):
        if ino not in self.inodes:
            raise Unmodelled(f"a file from before the trace: {data!r}")
        if truncated:
            self.inodes[ino].since.append(("T", 0))

    def on_d(self, ino, a, b, pid, data):
        path = data.split(b"\0")[0].decode()
        self.inodes[ino] = self.names[path]

    def on_M(self, ino, a, b, pid, data):
        path = data.split(b"\0")[0].decode()
        node = self.inodes[ino] = self.names[path] = Node(True)
        directory, name = self._split(path)
        self._change(directory, None, name, node)

    def on_W(self, ino, at, b, pid, data):
        self.inodes[ino].since.append(("W", at, data))

    def on_T(self, ino, size, b, pid, data):
        self.inodes[ino].since.append(("T", size))

    def on_R(self, ino, a, b, pid, data):
        old, new = (x.decode() for x in data.split(b"\0")[:2])
        node = self.names.pop(old)
        if node.directory:
            for path in [p for p in self.names if p.startswith(old + "/")]:
                self.names[new + path[len(old):]] = self.names.pop(path)
        self.names[new] = node
        (source, gone), (target, name) = self._split(old), self._split(new)
        if source is target:
            self._change(source, gone, name, node)
        else:
            self._change(target, None, name, node)
            self._change(source, gone, None, node)

    def on_L(self, ino, a, b, pid, data):
        old, new = (x.decode() for x in data.split(b"\0")[:2])
        node = self.names[new] = self.names[old]
        directory, name = self._split(new)
        self._change(directory, None, name, node)

    def on_U(self, ino, a, b, pid, data):
        path = data.split(b"\0")[0].decode()
        self.names.pop(path)
        directory, name = self._split(path)
        self._change(directory, name, None, None)

    def on_S(self, ino, number, pid_, pid, data):
        if self.drop_after is None or self.at <= self.drop_after:
            self.inodes[ino].sync_begins((pid, number))
            self.pending_journal[pid, number] = self.order

    def on_E(self, ino, number, pid_, pid, data):
        self.inodes[ino].sync_ends((pid, number))
        self.journalled = max(self.journalled, self.pending_journal.pop((pid, number), 0))

    def on_N(self, *_):
        pass

    def on_X(self, ino, a, b, pid, data):
        raise Unmodelled(data.split(b"\0")[0].decode())

    def write_out(self, to, names, data, rnd):
        """Makes the directory `to` as the cut could have left it. `names` and `data` are of NAMES and DATA; data=None chooses per file."""
        upto = rnd.randint(self.journalled, self.order) if names == "journal" else None
        done = {}

        def visit(node, path):
            os.makedirs(path, mode=0o700, exist_ok=True)
            now = dict(node.safe)
            if names == "journal":
                ops = [op for op in node.since if op[0] <= upto]
            else:
                ops = node.since[:rnd.randint(0, len(node.since))] if names == "mixed" else []
            for op in ops:
                rename_in(now, op)
            for name, child in sorted(now.items()):
                place = os.path.join(path, name)
                if child.directory:
                    visit(child, place)
                elif child in done:
                    os.link(done[child], place)
                else:
                    done[child] = place
                    torn(child, data or rnd.choice(DATA), rnd).save(place)
        visit(self.root, to)


def torn(node, how, rnd):
    image, ops = Image(node.safe), node.since
    if how == "none" or not ops:
        return image
    if how == "all":
        for op in ops:
            image.apply(op)
    elif how == "any":
        for op in ops:
            if rnd.random() < 0.5:
                image.apply(op)
            elif op[0] == "W" and rnd.random() < 0.5:  # its size came, its data did not
                image.size = max(image.size, op[1] + len(op[2]))
    else:
        k = rnd.randrange(len(ops))
        for op in ops[:k]:
            image.apply(op)
        if ops[k][0] == "W":
            at, data = ops[k][1], ops[k][2]
            keep = rnd.choice((0, rnd.randint(0, len(data)), rnd.randint(0, len(data)) // 512 * 512))
            end = rnd.choice(("missing", "zeros", "garbage"))
            rest = len(data) - keep
            image.write(at, data[:keep] + (b"" if end == "missing" else bytes(rest) if end == "zeros" else rnd.randbytes(rest)))
    return image
