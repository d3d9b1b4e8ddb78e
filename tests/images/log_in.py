"""``python log_in.py URL AUTHORITIES``: log in as the administrator with the password BOOTSTRAP_ADMIN_PASSWORD.

It is a program because it runs in the network of the engine, where the ingress is published on the loopback address.
"""

from __future__ import annotations

import os
import sys

from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.stack.credentials import ADMIN_EMAIL

if __name__ == "__main__":
    login = {"email": ADMIN_EMAIL, "password": os.environ["BOOTSTRAP_ADMIN_PASSWORD"]}
    session = IngressClient(*sys.argv[1:]).call("POST", "/v1/auth/login", login)
    sys.exit(0 if session["tokens"]["access_token"] else "no token")
