"""credit.py FD MILLISECONDS: a credit service for nz-demo --credit-port, at a socket that listens already.

Answers each question of 64 bytes by the same bytes; between one SIGUSR1 and the next, so much later."""

import contextlib
import signal
import socket
import sys
import threading
import time

FRAME = 64


def serve(connection, late, seconds):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError):  # who asks has ended
        while question := connection.recv(FRAME, socket.MSG_WAITALL):
            # Or the acknowledgement would come with the answer, and the network would seem to be slow.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if late[0]:
                time.sleep(seconds)
            connection.sendall(question)
    connection.close()


def main():
    late, seconds = [False], float(sys.argv[2]) / 1e3

    def toggle(number, frame):
        late[0] = not late[0]

    signal.signal(signal.SIGUSR1, toggle)
    listener = socket.socket(fileno=int(sys.argv[1]))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, late, seconds), daemon=True).start()


if __name__ == "__main__":
    main()
