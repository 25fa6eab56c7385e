"""A way to the service that breaks: it cuts a connection after so many bytes, or stops to pass any on."""

import socket
import struct
import threading
from contextlib import suppress

BLOCK_BYTES = 4096


class CuttingProxy:
    """Passes TCP connections on to a port of this machine.

    `sent_bytes` counts what went to the service. With `cut_after` it cuts the connection, once, that brings
    the count there; with `hold_after` nothing more passes from there on until `let_go`.
    """

    def __init__(self, port: int, to_port: int) -> None:
        self._to = to_port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.sent_bytes = 0
        self.cuts = 0
        self.cut_after: int | None = None
        self.hold_after: int | None = None
        self.is_holding = threading.Event()
        self._go_on = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.let_go()
        self._listener.close()

    def let_go(self) -> None:
        self.hold_after = None
        self._go_on.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            threading.Thread(target=self._forth, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            while block := client.recv(BLOCK_BYTES):
                with self._lock:
                    self.sent_bytes += len(block)
                    is_cut = self.cut_after is not None and self.sent_bytes >= self.cut_after
                    if is_cut:
                        self.cut_after = None
                        self.cuts += 1
                    is_held = self.hold_after is not None and self.sent_bytes >= self.hold_after
                if is_cut:
                    # With no time to linger the connection is reset, as by a network that fails.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if is_held:
                    self.is_holding.set()
                    self._go_on.wait()
                server.sendall(block)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while block := server.recv(BLOCK_BYTES):
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)
