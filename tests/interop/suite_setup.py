"""How clients are set up, read by parsers that are not ours."""
import http.client
import json
import plistlib
import urllib.parse
import xml.etree.ElementTree as ET

from target import Skip

POX = "http://schemas.microsoft.com/exchange/autodiscover"


def ask(t, host, path, body=None):
    t.penfold_only("only Penfold says how it is reached")
    c = http.client.HTTPConnection(t.host, t.port["http"], timeout=30)
    c.request("GET" if body is None else "POST", path, body, {"Host": host})
    answer = c.getresponse()
    if answer.status == 503:
        raise Skip("no public names are written down")
    return answer.status, answer.read(), dict(answer.getheaders())


def test_thunderbird(t):
    for host, path in (("autoconfig.bench.test", "/mail/config-v1.1.xml"), ("bench.test", "/.well-known/autoconfig/mail/config-v1.1.xml")):
        status, body, _ = ask(t, host, f"{path}?emailaddress={urllib.parse.quote(t.a)}")
        provider = ET.fromstring(body).find("emailProvider")
        assert status == 200 and provider.get("id") == "bench.test" and provider.findtext("domain") == "bench.test", body
        kinds = {s.get("type") for s in provider if s.tag.endswith("Server")}
        assert kinds == {"imap", "smtp"} and all(int(p.text) > 0 for p in provider.iter("port")), body
    assert ask(t, "autoconfig.elsewhere.test", "/mail/config-v1.1.xml")[0] == 404


def test_outlook(t):
    request = ET.Element("Autodiscover", xmlns=f"{POX}/outlook/requestschema/2006")
    inner = ET.SubElement(request, "Request")
    ET.SubElement(inner, "EMailAddress").text = "o'hara&co@bench.test"
    ET.SubElement(inner, "AcceptableResponseSchema").text = f"{POX}/outlook/responseschema/2006a"
    status, body, _ = ask(t, "autodiscover.bench.test", "/Autodiscover/Autodiscover.xml", ET.tostring(request, xml_declaration=True, encoding="utf-8"))
    ns = {"o": f"{POX}/outlook/responseschema/2006a"}
    protocols = ET.fromstring(body).findall(".//o:Account/o:Protocol", ns)
    assert status == 200 and [p.findtext("o:Type", namespaces=ns) for p in protocols] == ["IMAP", "SMTP"], body
    assert {p.findtext("o:LoginName", namespaces=ns) for p in protocols} == {"o'hara&co@bench.test"}, body
    status, body, _ = ask(t, "autodiscover.bench.test", "/autodiscover/autodiscover.xml", b"<Autodiscover/>")
    assert status == 200 and ET.fromstring(body).find(".//{*}ErrorCode").text == "600", body
    status, body, _ = ask(t, t.host, f"/autodiscover/autodiscover.json?Email={t.a}&Protocol=AutodiscoverV1")
    assert json.loads(body)["Url"].endswith("/autodiscover/autodiscover.xml"), body


def test_apple(t):
    status, body, headers = ask(t, t.host, "/apple/bench.test.mobileconfig?address=" + urllib.parse.quote("o'hara&co@bench.test"))
    profile = plistlib.loads(body)
    account = profile["PayloadContent"][0]
    assert status == 200 and headers["content-type"] == "application/x-apple-aspen-config", headers
    assert account["PayloadType"] == "com.apple.mail.managed" and account["EmailAddress"] == "o'hara&co@bench.test", profile
    assert account["IncomingMailServerUseSSL"] is True and account["IncomingMailServerPortNumber"] > 0, profile


def test_mta_sts(t):
    status, body, _ = ask(t, "mta-sts.bench.test", "/.well-known/mta-sts.txt")
    lines = dict(line.split(": ", 1) for line in body.decode().split("\r\n") if line)
    assert status == 200 and lines["version"] == "STSv1" and lines["mode"] == "testing" and lines["mx"] and int(lines["max_age"]) > 0, body
