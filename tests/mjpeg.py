"""A camera in the network: JPEG pictures over HTTP, which may stall, hang up and come back."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2

from tests import clips


class Camera:
    """Serves numbered pictures at `url`, some 25 a second; the number tells the time."""

    def __init__(self) -> None:
        self.is_there = True  # else it hangs up, and on everybody who comes
        self.sends = True  # else it is silent
        self.number = 0
        self.visits = 0
        self.watched = 0  # by so many at this moment
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.visits += 1
                if camera.is_there:
                    camera.send_to(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        port = self._server.server_address[1]
        self.url = f"http://me:secret@127.0.0.1:{port}/stream.mjpg?key=secret"

    def send_to(self, handler: BaseHTTPRequestHandler) -> None:
        """Pictures, until one side has enough."""
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        handler.end_headers()
        self.watched += 1
        try:
            while self.is_there:
                if self.sends:
                    self._send_picture(handler)
                time.sleep(0.04)
        except OSError:  # the other side has enough
            pass
        finally:
            self.watched -= 1

    def _send_picture(self, handler: BaseHTTPRequestHandler) -> None:
        self.number += 1
        data = cv2.imencode(".jpg", clips.numbered(self.number % 256))[1].tobytes()
        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        handler.wfile.write(head.encode() + data + b"\r\n")

    def close(self) -> None:
        """Switch it off."""
        self.is_there = False
        self._server.shutdown()
        self._server.server_close()
