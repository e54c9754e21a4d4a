// The certified client `openid-client` against a server on loopback: it finds the endpoints by their metadata, refreshes,
// introspects and revokes. Every expectation is an assertion, so a failure ends it with another status than 0.
//
// Arguments: the issuer, the authentication method, the client's ID. In the environment: `CREDENTIAL`, the secret or the
// private key in PKCS#8; `REFRESH_TOKEN` of a login with the scope `read write`; `OTHER_REFRESH_TOKEN` of another
// client's login, if there is one. With the method `none`, the private key is that to which the tokens are bound.

import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import * as oauth from 'openid-client';

const [issuer, method, id] = process.argv.slice(2);
const { CREDENTIAL, REFRESH_TOKEN, OTHER_REFRESH_TOKEN } = process.env;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };

async function privateKey() {
  const der = Buffer.from(CREDENTIAL.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

async function authentication() {
  switch (method) {
    case 'client_secret_basic': return oauth.ClientSecretBasic(CREDENTIAL);
    case 'client_secret_post': return oauth.ClientSecretPost(CREDENTIAL);
    case 'none': return oauth.None();
    case 'private_key_jwt': return oauth.PrivateKeyJwt(await privateKey());
  }
  throw new Error(method);
}

async function discover(clientId, by) {
  const options = { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] };
  return oauth.discovery(new URL(issuer), clientId, undefined, by, options);
}

/** Asserts that the server refuses it with this error of RFC 6749. */
async function isRefused(work, status, error) {
  await assert.rejects(work, (refused) => {
    const found = refused instanceof oauth.WWWAuthenticateChallengeError
      ? { status: refused.status, error: undefined }
      : { status: refused.status, error: refused.error };
    assert.equal(found.status, status, String(refused.cause ?? refused));
    if (found.error !== undefined) assert.equal(found.error, error);
    return true;
  });
}

/** The key to which the tokens of a public client are bound. */
async function possession(config) {
  if (method !== 'none') return undefined;
  const spki = createPublicKey(CREDENTIAL).export({ format: 'der', type: 'spki' });
  const publicKey = await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']);
  return oauth.getDPoPHandle(config, { privateKey: await privateKey(), publicKey });
}

const config = await discover(id, await authentication());
const DPoP = await possession(config);
const [scheme, type] = DPoP ? ['dpop', 'DPoP'] : ['bearer', 'Bearer'];
const refresh = (token, parameters) => oauth.refreshTokenGrant(config, token, parameters, { DPoP });
// Without credentials, no token is told from another.
const refused = DPoP ? [401, 'invalid_client'] : [400, 'invalid_grant'];
const server = config.serverMetadata();
assert.equal(server.issuer, issuer);
assert.ok(server.token_endpoint_auth_methods_supported.includes(method), 'the method is listed');
assert.ok(server.grant_types_supported.includes('refresh_token'));

const narrow = await refresh(REFRESH_TOKEN, { scope: 'read' });
assert.equal(narrow.scope, 'read');
assert.equal(narrow.token_type, scheme);
const pair = await refresh(narrow.refresh_token);
assert.equal(pair.scope, 'read write');
assert.ok(pair.expires_in > 3000 && pair.expires_in <= 3600);

// A scope beyond that of the login, a token of another client, and no token at all.
await isRefused(refresh(pair.refresh_token, { scope: 'admin' }), 400, 'invalid_scope');
if (OTHER_REFRESH_TOKEN) {
  await isRefused(refresh(OTHER_REFRESH_TOKEN), ...refused);
}
await isRefused(refresh('garbage'), ...refused);
if (DPoP) await isRefused(oauth.refreshTokenGrant(config, pair.refresh_token), 401, 'invalid_client');

if (method === 'none') {
  await isRefused(oauth.tokenIntrospection(config, pair.access_token), 401, 'invalid_client');
} else {
  const active = await oauth.tokenIntrospection(config, pair.access_token);
  assert.equal(active.active, true);
  assert.equal(active.sub, 'alice');
  assert.equal(active.iss, issuer);
  assert.equal(active.token_type, type);
  const described = await oauth.tokenIntrospection(config, pair.refresh_token);
  assert.equal(described.active, true);
  assert.equal(described.token_type, undefined);
  for (const token of [REFRESH_TOKEN, 'garbage']) {
    assert.deepEqual(await oauth.tokenIntrospection(config, token), { active: false });
  }
  const stranger = await discover(id, oauth.ClientSecretBasic('a wrong secret'));
  await isRefused(oauth.tokenIntrospection(stranger, pair.access_token), 401, 'invalid_client');
}

const address = new URL('/protected', issuer);
const resource = (token) => oauth.fetchProtectedResource(config, token, address, 'GET', undefined, undefined, { DPoP });
assert.equal((await resource(pair.access_token)).status, 200);
await oauth.tokenRevocation(config, 'garbage');
await oauth.tokenRevocation(config, pair.refresh_token);
await assert.rejects(resource(pair.access_token), (refused) => {
  assert.ok(refused instanceof oauth.WWWAuthenticateChallengeError);
  const challenge = refused.cause.find((it) => it.scheme === scheme);
  assert.equal(challenge.parameters.error, 'invalid_token');
  assert.equal(challenge.parameters.resource_metadata, `${issuer}/.well-known/oauth-protected-resource`);
  return true;
});
await isRefused(refresh(pair.refresh_token), 400, 'invalid_grant');

const document = await fetch(`${issuer}/.well-known/oauth-protected-resource`);
assert.deepEqual((await document.json()).authorization_servers, [issuer]);
console.log('done');
