"""Flask_PyJWT as a server: the same routes as server.rs, configured by the `.env` file that it is given.

Prints its port and serves until its standard input is closed.
"""

import logging
import os
import sys
import threading

import jwt
from flask import Flask, request
from flask_pyjwt import AuthManager, current_token, require_token
from werkzeug.serving import make_server

app = Flask(__name__)
auth_manager = AuthManager(app, dotenv_path=sys.argv[1])


def properties(token):
    return {
        "signed": token.signed,
        "is_signed": token.is_signed(),
        "sub": token.sub,
        "type": token.token_type.value,
        "iss": token.iss,
        "iat": token.iat,
        "exp": token.exp,
        "scope": token.scope,
        "max_age": token.max_age,
        "alg": token.alg,
        "typ": token.typ,
        "header": token.header,
        "claims": token.claims,
    }


@app.post("/mint/auth")
def mint_auth():
    wanted = request.get_json()
    return properties(auth_manager.auth_token(wanted["sub"], wanted["scope"], **wanted["claims"]))


@app.post("/mint/refresh")
def mint_refresh():
    return properties(auth_manager.refresh_token(request.get_json()["sub"]))


@app.post("/forge")
def forge():
    """Signs any claims with the configured key."""
    wanted = request.get_json()
    secret = auth_manager.signer.secret
    return {"signed": jwt.encode(wanted["claims"], secret, wanted["algorithm"])}


@app.get("/protected")
@require_token()
def protected():
    return properties(current_token)


@app.get("/refresh")
@require_token("refresh")
def refresh():
    return properties(current_token)


@app.get("/cookie")
@require_token("auth", "cookies", cookie_name="auth_token")
def cookie():
    return properties(current_token)


@app.get("/user/<username>")
@require_token(sub="username")
def user(username):
    return {"username": username}


@app.get("/admin")
@require_token(scope={"admin": True})
def admin():
    return {}


@app.get("/overridable/<username>")
@require_token(sub="username", override={"admin": True})
def overridable(username):
    return {"username": username}


@app.get("/team")
@require_token(team=7, perms=["read"])
def team():
    return {}


def stop_with_parent():
    sys.stdin.read()
    os._exit(0)


logging.disable(logging.CRITICAL)
threading.Thread(target=stop_with_parent, daemon=True).start()
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
