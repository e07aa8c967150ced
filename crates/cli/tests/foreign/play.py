"""Plays on a server with `websockets`: play.py ws://host:port TOKEN. Ends with 0 when all is as RFC 6455 and the protocol say."""

import json
import sys

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

URL, TOKEN = sys.argv[1] + "/v1/ws", sys.argv[2]
MASK = bytes([0x37, 0xFA, 0x21, 0x3D])


def log_in():
    ws = connect(URL, subprotocols=["anser.v1.json"], compression=None, close_timeout=20)
    assert ws.subprotocol == "anser.v1.json", ws.subprotocol
    hello = {"version": 1, "token": TOKEN, "device": {"device_id": "python"}}
    ws.send(json.dumps({"request_id": 1, "hello": hello}))
    assert "welcome" in receive(ws)
    return ws


def receive(ws):
    return json.loads(ws.recv(timeout=20))


def frame(first, payload, length=None, masked=True):
    """A frame with any header: of at most 125 bytes, unless another length is told."""
    head = bytes([first, (0x80 if masked else 0) | len(payload)])
    if length is not None:
        head = bytes([first, 0x80 | 127]) + length.to_bytes(8, "big")
    body = bytes(byte ^ MASK[at % 4] for at, byte in enumerate(payload)) if masked else payload
    return head + (MASK if masked else b"") + body


def fragments_and_control_frames_in_between():
    ws = log_in()
    text = json.dumps({"request_id": 2, "get_users": {"accounts": ["alice"]}})
    pongs = []

    def pieces():
        for at in range(0, len(text), 7):
            pongs.append(ws.ping(f"ping {at}"))
            yield text[at : at + 7]
            ws.pong()

    ws.send(pieces())
    assert receive(ws)["users"]["users"][0]["account"] == "alice"
    # Only the last ping must be answered (RFC 6455, 5.5.3); the library takes the earlier ones for answered with it.
    assert all(pong.wait(20) for pong in pongs)
    ws.close()


def closes_are_answered_with_their_code():
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]:
        ws = log_in()
        ws.close(code, "tschüß")
        closed = ws.protocol.close_rcvd
        assert closed is not None and closed.code == code, (code, closed)
        assert ws.close_code == code


def what_breaks_the_standard_is_closed_with_its_code():
    fin, text, binary, close, ping = 0x80, 1, 2, 8, 9
    for what, code, bytes_ in [
        ("no mask", 1002, frame(fin | text, b"{}", masked=False)),
        ("reserved bit", 1002, frame(fin | 0x40 | text, b"{}")),
        ("reserved opcode", 1002, frame(fin | 3, b"{}")),
        ("continuation of nothing", 1002, frame(fin, b"{}")),
        ("message within a message", 1002, frame(text, b"{") + frame(fin | text, b"}")),
        ("ping in fragments", 1002, frame(ping, b"")),
        ("long ping", 1002, frame(fin | ping, b"", length=70_000)),
        ("length in too many bytes", 1002, frame(fin | text, b"{}", length=2)),
        ("negative length", 1002, frame(fin | text, b"", length=1 << 63)),
        ("close of one byte", 1002, frame(fin | close, b"\x03")),
        ("close code that may not be sent", 1002, frame(fin | close, (1005).to_bytes(2, "big"))),
        ("close reason that is no UTF-8", 1007, frame(fin | close, (1000).to_bytes(2, "big") + b"\xff")),
        ("text that is no UTF-8", 1007, frame(fin | text, b'{"request_id":9,"ping":"\xff"}')),
        ("too large", 4503, frame(fin | text, b"", length=1 << 40)),
        ("binary under JSON", 4502, frame(fin | binary, b"{}")),
    ]:
        ws = log_in()
        ws.socket.sendall(bytes_)
        try:
            while True:
                answer = receive(ws)
                assert "error" in answer, answer
        except ConnectionClosed as closed:
            assert closed.rcvd is not None and closed.rcvd.code == code, (what, closed.rcvd)


fragments_and_control_frames_in_between()
closes_are_answered_with_their_code()
what_breaks_the_standard_is_closed_with_its_code()
