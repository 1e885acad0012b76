"""A host that takes mail and writes down what it took: what Penfold is given as smart host. It lives in the test's own process,
so that it survives what is done to the server, and behaves as its `Manner` says.
"""
import asyncio
import logging
import re
import threading
import time

import penfold_testlib as lib

LINE = 1 << 20
logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a peer is gone is no news here


class Taken:
    """One message. `begun` and `at`: when its connection came, and when it was taken. `lost`: its answer was kept back on purpose."""
    __slots__ = ("sender", "recipients", "data", "begun", "lost", "at")

    def __init__(self, sender, recipients, data, begun, lost):
        self.sender, self.recipients, self.data, self.begun, self.lost, self.at = sender, recipients, data, begun, lost, time.monotonic()


class Drop(Exception):
    """The connection ends here."""


class Manner:
    """Takes everything. Each method gives back None (go on) or an answer to give instead; `Drop` ends the connection."""
    extensions = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 104857600")

    def session(self):
        """For one connection; what it says there may differ from others."""
        return self

    async def greeting(self):
        return None

    async def mail(self, sender):
        return None

    async def rcpt(self, sender, to):
        return None

    async def data(self, sender, recipients):
        """Before 354. A number instead of an answer: so many octets are read, then the connection ends."""
        return None

    async def end(self, sender, recipients, data):
        """After the final dot. "lost": it is taken, and the connection ends without an answer."""
        return None


class Sink:
    """`taken` grows in the order of the final dots."""

    def __init__(self, manner=None, host="127.0.0.1", port=None):
        self.manner, self.host, self.port = manner or Manner(), host, port or lib.free_ports(1)[0]
        self.taken, self.connections = [], 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        serving = asyncio.start_server(self._connected, self.host, self.port, limit=LINE)
        self.server = asyncio.run_coroutine_threadsafe(serving, self.loop).result(30)
        return self

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def stop(self):
        async def end():
            self.server.close()
            rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(30)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    async def _connected(self, reader, writer):
        self.connections += 1
        try:
            await self._session(reader, writer, self.manner.session())
        except Drop:
            writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ValueError):
            pass
        finally:
            writer.close()

    async def _session(self, reader, writer, manner):
        async def say(text):
            writer.write(text.encode() + b"\r\n")
            await writer.drain()

        begun, odd = time.monotonic(), await manner.greeting()
        await say(odd or "220 sink.test ESMTP")
        if odd:
            return
        sender, recipients = None, []
        while True:
            line = await reader.readuntil(b"\r\n")
            text = line[:-2].decode(errors="surrogateescape")
            verb = text[:4].upper()
            if verb == "EHLO":
                writer.write(b"250-sink.test\r\n")
                for extension in manner.extensions:
                    writer.write(b"250-" + extension.encode() + b"\r\n")
                await say("250 HELP")
            elif verb == "MAIL":
                sender, recipients = path(text), []
                odd = await manner.mail(sender)
                if odd:
                    sender = None
                await say(odd or "250 2.1.0 OK")
            elif verb == "RCPT":
                if sender is None:
                    await say("503 5.5.1 MAIL first")
                    continue
                odd = await manner.rcpt(sender, path(text))
                if not odd:
                    recipients.append(path(text))
                await say(odd or "250 2.1.5 OK")
                if odd and odd.startswith("421"):
                    return
            elif verb == "DATA":
                if not recipients:
                    await say("554 5.5.1 no valid recipients")
                    continue
                odd = await manner.data(sender, recipients)
                if isinstance(odd, int):
                    await say("354 go on")
                    await reader.read(odd)
                    raise Drop
                if odd:
                    await say(odd)
                    continue
                await say("354 go on")
                await self._take(say, sender, recipients, await content(reader), begun, manner)
                sender, recipients = None, []
            elif verb in ("RSET", "NOOP"):
                if verb == "RSET":
                    sender, recipients = None, []
                await say("250 2.0.0 OK")
            elif verb == "QUIT":
                await say("221 2.0.0 bye")
                return
            else:
                await say("502 5.5.1 unknown")

    async def _take(self, say, sender, recipients, data, begun, manner):
        odd = await manner.end(sender, recipients, data)
        if odd and odd != "lost":
            return await say(odd)
        self.taken.append(Taken(sender, list(recipients), data, begun, odd == "lost"))
        if odd == "lost":
            raise Drop
        return await say("250 2.0.0 taken")


async def content(reader):
    """Up to the final dot, the dots taken off (RFC 5321 §4.5.2)."""
    lines = []
    while True:
        line = await reader.readuntil(b"\r\n")
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line[1:] if line.startswith(b".") else line)


def path(command):
    return re.search(r":\s*<(.*)>", command).group(1)
