"""Sends what the Synapse SDK's clients send, with the libraries that they use (PyJWT and requests).

Reads one JSON object a line from standard input, does what its `op` says, and answers with one line of JSON.
"""

import hashlib
import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import jwt
import requests

warnings.simplefilter("ignore")

CHUNK_BYTES = 50 * 1024 * 1024


def model_token(model, token, backend_url, tenant=None):
    claims = {"model": str(model), "token": token}
    if tenant:
        claims["tenant"] = tenant
    return jwt.encode(claims, backend_url, algorithm="HS256")


def infer(base, prefix, params, token=None, backend_url=None, tenant=None, headers=None):
    """One call as infer_remote makes it: no time-out, a body with every method, a slash at the end."""
    sent = dict(headers or {})
    if params.get("model") is not None:
        sent["serve_multiplexed_model_id"] = model_token(params["model"], token, backend_url, tenant)
    method = params.get("method", "post").lower()
    reply = requests.request(method, f"{base}{prefix}/", json=params.get("json", {}), headers=sent)
    return told(reply)


def raw(method, url, headers=None, body=None):
    return told(requests.request(method, url, headers=headers, data=body, allow_redirects=False))


def told(reply):
    try:
        body = reply.json()
    except ValueError:
        body = None
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return {"status": reply.status_code, "headers": headers, "text": reply.text, "json": body}


class Backend:
    """As much of a client of the backend as models need."""

    def __init__(self, base_url, access_token=None, authorization_token=None, tenant=None):
        self.base_url = base_url
        self.headers = {}
        if access_token:
            self.headers["Synapse-Access-Token"] = f"Token {access_token}"
        if authorization_token:
            self.headers["Authorization"] = f"Token {authorization_token}"
        if tenant:
            self.headers["Synapse-Tenant"] = f"Token {tenant}"

    def request(self, method, path, **options):
        url = path if path.startswith("http") else f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=(5, 15), **options)

    def json(self, method, path, data):
        headers = {"Content-Type": "application/json"}
        return self.request(method, path, data=json.dumps(data), headers=headers)


def get_model(backend, model):
    return told(backend.request("get", f"models/{model}/"))


def list_models(backend):
    return told(backend.request("get", "models/"))


def download(backend, model):
    """Reads a model and unpacks its file, which is fetched without any header of ours."""
    info = backend.request("get", f"models/{model}/").json()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.zip"
        reply = requests.get(info["file"], allow_redirects=True, stream=True, timeout=30)
        reply.raise_for_status()
        with path.open("wb") as file:
            for chunk in reply.iter_content(CHUNK_BYTES):
                file.write(chunk)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        names = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else []
        return {"model": info, "sha256": digest, "size": path.stat().st_size, "names": names}


def upload(backend, name, path, chunk_bytes=CHUNK_BYTES):
    """Uploads a file in chunks and makes a model of it."""
    size = Path(path).stat().st_size
    url, offset, digest, replies = "chunked_upload/", 0, hashlib.md5(), []
    with open(path, "rb") as file:
        while offset < size:
            chunk = file.read(chunk_bytes)
            digest.update(chunk)
            reply = backend.request(
                "put",
                url,
                data={"filename": Path(path).name},
                files={"file": ("chunk", chunk)},
                headers={"Content-Range": f"bytes {offset}-{offset + len(chunk) - 1}/{size}"},
            )
            replies.append(told(reply))
            reply.raise_for_status()
            url, offset = reply.json()["url"], offset + len(chunk)
    done = backend.json("post", url, {"md5": digest.hexdigest()})
    replies.append(told(done))
    done.raise_for_status()
    made = backend.json("post", "models/", {"name": name, "chunked_upload": done.json()["id"]})
    return {"replies": replies, "model": told(made)}


def answer(question):
    op = question.pop("op")
    if op == "token":
        return {"token": model_token(**question)}
    if op in ("infer", "raw"):
        return {"infer": infer, "raw": raw}[op](**question)
    backend = Backend(**question.pop("backend"))
    operations = {"get_model": get_model, "list_models": list_models, "download": download, "upload": upload}
    return operations[op](backend, **question)


for line in sys.stdin:
    try:
        outcome = answer(json.loads(line))
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the answer
        outcome = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(outcome), flush=True)
