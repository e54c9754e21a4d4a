// The certified OpenID provider of the npm registry, on loopback: discovery, key set, and access tokens for the grant
// `client_credentials`. They are JWTs (RFC 9068), and opaque for the resource `https://opaque.example`. A client that
// sends a DPoP proof gets a token that is bound to its key.
//
// Arguments: the algorithm, and `nonce` if proofs need a nonce.
//
// Prints its port. A line on standard input is a command: `rotate` signs with a new key, `drop` drops all other keys.
// Then it prints the ID of the signing key. It ends when its standard input is closed.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [algorithm, mode] = process.argv.slice(2);
const nonceSecret = randomBytes(32);
let keys = [];
let callback;

async function newKey() {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const kid = `key-${keys.length + 1}-${Date.now()}`;
  return { ...await exportJWK(privateKey), use: 'sig', alg: algorithm, kid };
}

function serve(issuer) {
  const resourceServer = (audience) => ({
    scope: 'read write',
    audience,
    ...(audience === 'https://opaque.example'
      ? { accessTokenFormat: 'opaque' }
      : { accessTokenFormat: 'jwt', jwt: { sign: { alg: algorithm } } }),
  });
  const client = {
    client_secret: 'a secret of the client, of many bytes',
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: algorithm,
  };
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: 'service', grant_types: ['client_credentials'] },
      // It asks about tokens.
      { ...client, client_id: 'api', grant_types: [] },
    ],
    jwks: { keys },
    scopes: ['read', 'write'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true, nonceSecret, requireNonce: () => mode === 'nonce' },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://api.example',
        getResourceServerInfo: (_, resource) => resourceServer(resource),
        useGrantedResource: () => true,
      },
    },
  });
  callback = provider.callback();
}

console.warn = () => {};
console.info = () => {};
const server = createServer((request, response) => callback(request, response));
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  keys = [await newKey()];
  serve(issuer);
  console.log(server.address().port);
  for await (const command of createInterface({ input: process.stdin })) {
    keys = command === 'drop' ? [keys[0]] : [await newKey(), ...keys];
    serve(issuer);
    console.log(keys[0].kid);
  }
  process.exit(0);
});
