"""What stands beside the service: a load balancer and a mail server, as small as will do."""

import socket
import socketserver
import threading
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from http.client import HTTPConnection, HTTPException
from typing import Any

CHECK_SECONDS = 0.5


class Balancer:
    """Sends each connection to the next web host that answered its last health check."""

    def __init__(self, ports: list[int]) -> None:
        self._ports, self._healthy = ports, list(ports)
        self._turn = 0
        self._closed = threading.Event()
        balancer = self

        class Pass(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                balancer._pass(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 512

        self._server = Server(("127.0.0.1", 0), Pass)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        for work in (self._server.serve_forever, self._check):
            threading.Thread(target=work, daemon=True).start()

    @property
    def healthy(self) -> list[int]:
        return list(self._healthy)

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()

    def _check(self) -> None:
        while not self._closed.wait(CHECK_SECONDS):
            self._healthy = [port for port in self._ports if _answers(port)]

    def _pass(self, client: socket.socket) -> None:
        for _ in self._ports:
            healthy = self._healthy or self._ports
            self._turn += 1
            try:
                host = socket.create_connection(("127.0.0.1", healthy[self._turn % len(healthy)]), timeout=5)
            except OSError:
                continue
            with host:
                for side in (client, host):  # small answers don't wait for an acknowledgement
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                host.settimeout(130)
                back = threading.Thread(target=_copy, args=(host, client), daemon=True)
                back.start()
                _copy(client, host)
                back.join(timeout=130)
            return


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one of the two is gone, and the other notices


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


class MailServer:
    """Takes every mail and keeps it."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        mails = self.mails

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 here")
                for line in self.rfile:
                    verb = line[:4].upper()
                    if verb == b"DATA":
                        self._say("354 go on")
                        mails.append(message_from_bytes(self._text()))
                    if verb == b"QUIT":
                        self._say("221 bye")
                        return
                    self._say("250 OK")

            def _text(self) -> bytes:
                lines = iter(self.rfile.readline, b".\r\n")
                return b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)

            def _say(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Session)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def about(self, is_meant: Callable[[str], Any]) -> int:
        return sum(bool(is_meant(str(mail["Subject"]))) for mail in self.mails)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
