"""A name server in the test's own process: what is in `records` is there, everything else is not. UDP and TCP, on loopback."""
import socketserver
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

import penfold_testlib as lib

# Whoever keeps answers keeps these for five minutes, as most zones ask for.
SOA = "ns.test. hostmaster.test. 1 3600 600 86400 300"


class Names:
    def __init__(self):
        self.records, self.asked = {}, []
        (self.port,) = lib.free_ports(1)

    def publish(self, name, kind, *texts):
        self.records[(name.lower().rstrip("."), kind)] = list(texts)

    def txt(self, name, *texts):
        self.publish(name, "TXT", *(f'"{text}"' for text in texts))

    def withdraw(self, name, kind="TXT"):
        self.records.pop((name.lower().rstrip("."), kind), None)

    def answer(self, wire):
        question = dns.message.from_wire(wire)
        reply = dns.message.make_response(question, recursion_available=True)
        one = question.question[0]
        name, kind = one.name.to_text().lower().rstrip("."), dns.rdatatype.to_text(one.rdtype)
        self.asked.append((name, kind))
        found = self.records.get((name, kind))
        if found:
            reply.answer.append(dns.rrset.from_text(one.name, 300, "IN", kind, *found))
        else:
            if not any(known == name or known.endswith("." + name) for known, _ in self.records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            reply.authority.append(dns.rrset.from_text("test.", 300, "IN", "SOA", SOA))
        return reply.to_wire()

    def start(self):
        names = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                data, s = self.request
                s.sendto(names.answer(data), self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self):
                while len(size := self.rfile.read(2)) == 2:
                    wire = names.answer(self.rfile.read(int.from_bytes(size, "big")))
                    self.wfile.write(len(wire).to_bytes(2, "big") + wire)

        class Udp(socketserver.ThreadingUDPServer):
            daemon_threads, max_packet_size = True, 65535

        class Tcp(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

        self.servers = [Udp(("127.0.0.1", self.port), Datagram), Tcp(("127.0.0.1", self.port), Stream)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
