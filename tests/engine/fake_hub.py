"""A hub for tests: lists and serves the folders below ROOT/<owner>/<name> as a Hugging Face hub does. Usage: fake_hub.py ROOT

The port goes to stdout. *.safetensors are in "large file storage": their answer is a redirect and names their SHA-256. What goes wrong is
asked for by the owner's name: broken (each answer ends in the middle, the rest is to be asked for), noranges (broken once, and knows no
ranges), wrong (one byte of a weight file differs), gated, secret (401), closed (403), busy (429 twice, then well), jammed (429 with a long
wait), slow (a piece every 50 ms), real (redirects and headers as huggingface.co has them), moved (a repository that is real's now). GET /log tells the requests so far.
"""

import hashlib
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(sys.argv[1])
log, counts = [], {}


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers=None, body=b"", length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if self.path == "/log":
            return self.answer(200, body=json.dumps(log).encode())
        log.append({"method": self.command, "path": self.path, "range": self.headers.get("Range"), "token": self.headers.get("Authorization")})
        parts = [unquote(part) for part in self.path.split("?")[0].strip("/").split("/")]
        if parts[0] == "api" and len(parts) > 5 and parts[1] == "models" and parts[2] != "moved":
            return self.listing(parts[2], parts[3], "/".join(parts[5:]))
        if parts[0] == "moved" or parts[2:3] == ["moved"]:
            return self.answer(307, {"Location": self.path.replace("/moved/", "/real/")})
        if parts[:2] == ["api", "resolve-cache"]:
            return self.small(ROOT.joinpath(*parts[3:5], *parts[6:]), {"X-Repo-Commit": COMMIT})
        if parts[0] == "storage":
            return self.content(parts[1], ROOT.joinpath(*parts[1:]))
        if len(parts) > 4 and parts[2] == "resolve":
            return self.resolve(parts[0], ROOT.joinpath(parts[0], parts[1], *parts[4:]))
        return self.answer(404)

    def refused(self, owner):
        counts[owner] = counts.get(owner, 0) + 1
        allowed = self.headers.get("Authorization") == "Bearer right"
        if owner == "secret" and not allowed:
            self.answer(401, {"X-Error-Code": "RepoNotFound"})
        elif owner == "closed":
            self.answer(403)
        elif owner == "jammed" or (owner == "busy" and counts[owner] <= 2):
            self.answer(429, {"Retry-After": "1000" if owner == "jammed" else "0"})
        else:
            return False
        return True

    def listing(self, owner, name, revision):
        folder = ROOT / owner / name
        if self.refused(owner):
            return None
        if not folder.is_dir():
            return self.answer(404, {"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", "pr/1", COMMIT):
            return self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        files = [{"rfilename": str(f.relative_to(folder)), "size": f.stat().st_size} for f in sorted(folder.rglob("*")) if f.is_file()]
        if owner == "evil":
            files.append({"rfilename": "../../outside.txt", "size": 1})
        if owner == "huge":
            files[0]["size"] = 1 << 60
        card = {"license": "other", "license_name": "fake-licence"} if owner == "gated" else {}
        return self.answer(200, body=json.dumps({"sha": COMMIT, "siblings": files, "cardData": card}).encode())

    def resolve(self, owner, file):
        if owner == "gated" and self.headers.get("Authorization") != "Bearer right":
            return self.answer(401, {"X-Error-Code": "GatedRepo"})
        if not file.is_file():
            return self.answer(404, {"X-Error-Code": "EntryNotFound"})
        body = file.read_bytes()
        common = {"X-Repo-Commit": COMMIT}
        if owner == "real" and file.suffix != ".safetensors":
            relative = file.relative_to(ROOT / "real" / "tiny")
            return self.answer(307, common | {"Location": f"/api/resolve-cache/models/real/tiny/{COMMIT}/{quote(str(relative))}?etag=%22abc%22"})
        if owner == "real":
            common |= {"ETag": '"not-the-hash"', "X-Xet-Hash": "f" * 64, "X-Xet-Refresh-Route": "/api/models/real/tiny/xet-read-token", "Accept-Ranges": "bytes",
                       "Link": '<https://cas-server.invalid/reconstruction>; rel="xet-reconstruction-info"'}
        if file.suffix != ".safetensors":
            tag = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
            return self.answer(200, common | {"ETag": f'"{tag}"'}, body)
        size = 1 << 60 if owner == "huge" else len(body)
        tag = hashlib.sha256(body).hexdigest()
        storage = f"http://localhost:{server.server_address[1]}/storage/{quote(str(file.relative_to(ROOT)))}"   # another host than ours
        return self.answer(302, common | {"X-Linked-ETag": f'"{tag}"', "X-Linked-Size": str(size), "Location": storage})

    def small(self, file, common):
        body = file.read_bytes()
        tag = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
        return self.answer(200, common | {"ETag": f'W/"{tag}"'}, body)

    def content(self, owner, file):
        body = file.read_bytes()
        counts[file] = counts.get(file, 0) + 1
        if owner == "wrong":
            body = body[:-1] + bytes([body[-1] ^ 1])
        begin = int((self.headers.get("Range") or "bytes=0-")[6:].rstrip("-"))
        if owner == "noranges":
            begin = 0
        rest = body[begin:]
        headers = {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if begin else {}
        if owner == "slow":
            self.answer(206 if begin else 200, headers, length=len(rest))
            for at in range(0, len(rest), 1024):
                self.wfile.write(rest[at : at + 1024])
                time.sleep(0.05)
            return
        cut = owner == "broken" or (owner == "noranges" and counts[file] == 1)
        part = rest[: max(len(body) // 3, 1)] if cut else rest
        self.answer(206 if begin else 200, headers, part, len(rest))
        self.close_connection = cut and len(part) < len(rest)


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
server.daemon_threads = True
print(server.server_address[1], flush=True)
try:
    server.serve_forever()
except (KeyboardInterrupt, BrokenPipeError):
    os._exit(0)
