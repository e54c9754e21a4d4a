"""A Flask server that verifies tokens with keys that it fetches with PyJWT's PyJWKClient.

Arguments: the address of the key set, the issuer, the audience. Prints its port and serves until its standard
input is closed.
"""

import logging
import os
import sys
import threading

import jwt
from flask import Flask, request
from werkzeug.serving import make_server

address, issuer, audience = sys.argv[1:]
app = Flask(__name__)
client = jwt.PyJWKClient(address, cache_keys=False, lifespan=1)
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@app.get("/protected")
def protected():
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        key = client.get_signing_key_from_jwt(token)
        required = {"require": ["exp", "iat", "iss", "aud", "sub"]}
        # With the only algorithm that the key is for.
        algorithms = [a for a in ALGORITHMS if a == key._jwk_data["alg"]]
        claims = jwt.decode(
            token, key.key, algorithms, issuer=issuer, audience=audience, options=required
        )
    except jwt.PyJWTError as error:
        return {"error": repr(error)}, 401
    return {"sub": claims["sub"], "kid": key.key_id}


def stop_with_parent():
    sys.stdin.read()
    os._exit(0)


logging.disable(logging.CRITICAL)
threading.Thread(target=stop_with_parent, daemon=True).start()
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
