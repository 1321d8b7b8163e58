# What requests and httpx get from the server whose address is given, a line of JSON each, for clients-python.test.ts.
import hashlib
import json
import sys

import httpx
import requests

url = sys.argv[1]
body = bytes(range(256)) * 2000


def pieces():
    for at in range(0, len(body), 100_000):
        yield body[at : at + 100_000]


def report(client, upload):
    hello = client.get(url + "/a", params={"name": "x y"})
    form = client.post(url, data={"a": "1", "b": "ü"})
    large = client.get(url + "/large").content
    print(
        json.dumps(
            {
                "status": hello.status_code,
                "text": hello.text,
                "form": form.text,
                "formFraming": form.headers["x-framing"],
                "upload": upload.content == body,
                "uploadFraming": upload.headers["x-framing"],
                "large": hashlib.sha256(large).hexdigest(),
                "stream": client.get(url + "/stream").text,
                "head": client.head(url + "/a").headers["content-length"],
            }
        )
    )


with requests.Session() as session:
    report(session, session.post(url, data=pieces()))

with httpx.Client() as client:
    report(client, client.post(url, content=pieces()))
