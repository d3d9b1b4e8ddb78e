"""What ``helm test`` asks of a release: is a pod ready, does the API answer over mutual TLS, and can somebody log in.

Reads API_URL, MANAGEMENT_URL and the three TLS files; with TEST_EMAIL and TEST_PASSWORD it logs in. Exits with 1 and a
line that says what failed.
"""

import json
import os
import ssl
import sys
import urllib.error
import urllib.request


def ask(url, body=None, tls=None):
    """Return the status and the text of an answer; ends the test when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20, context=tls) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError as failed:
        sys.exit(f"{url} does not answer: {failed}. Look at the pods, the Service and the NetworkPolicy.")


def expect(wanted, url, **asked):
    """Ask, and end the test when the answer has another status."""
    status, text = ask(url, **asked)
    if status != wanted:
        sys.exit(f"{url} answered {status} instead of {wanted}: {text[:300]}")
    print(f"{url}: {status}")


def main():
    """Ask in the order in which a release becomes usable."""
    files = {name: os.environ[f"TLS_{name}_FILE"] for name in ("CERT", "KEY", "CA")}
    tls = ssl.create_default_context(cafile=files["CA"])
    tls.load_cert_chain(files["CERT"], files["KEY"])
    api, management = os.environ["API_URL"], os.environ["MANAGEMENT_URL"]
    expect(200, f"{management}/health/ready")
    expect(404, f"{api}/helm-test", tls=tls)
    email, password = os.environ.get("TEST_EMAIL"), os.environ.get("TEST_PASSWORD")
    if email and password:
        expect(200, f"{api}/v1/auth/login", body={"email": email, "password": password}, tls=tls)


main()
