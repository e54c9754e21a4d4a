// The certified client `openid-client` against a server on loopback: it finds the endpoints by their metadata, refreshes,
// introspects and revokes. Every expectation is an assertion, so a failure ends it with another status than 0.
//
// Arguments: the issuer, the authentication method, the client's ID. In the environment: `CREDENTIAL`, the secret or the
// private key in PKCS#8; `REFRESH_TOKEN` of a login with the scope `read write`; `OTHER_REFRESH_TOKEN` of another
// client's login, if there is one.

import assert from 'node:assert/strict';
import * as oauth from 'openid-client';

const [issuer, method, id] = process.argv.slice(2);
const { CREDENTIAL, REFRESH_TOKEN, OTHER_REFRESH_TOKEN } = process.env;

async function authentication() {
  switch (method) {
    case 'client_secret_basic': return oauth.ClientSecretBasic(CREDENTIAL);
    case 'client_secret_post': return oauth.ClientSecretPost(CREDENTIAL);
    case 'none': return oauth.None();
    case 'private_key_jwt': {
      const der = Buffer.from(CREDENTIAL.replace(/-----[^-]+-----|\s/g, ''), 'base64');
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
      return oauth.PrivateKeyJwt(await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']));
    }
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

const config = await discover(id, await authentication());
const server = config.serverMetadata();
assert.equal(server.issuer, issuer);
assert.ok(server.token_endpoint_auth_methods_supported.includes(method), 'the method is listed');
assert.ok(server.grant_types_supported.includes('refresh_token'));

const narrow = await oauth.refreshTokenGrant(config, REFRESH_TOKEN, { scope: 'read' });
assert.equal(narrow.scope, 'read');
assert.equal(narrow.token_type, 'bearer');
const pair = await oauth.refreshTokenGrant(config, narrow.refresh_token);
assert.equal(pair.scope, 'read write');
assert.ok(pair.expires_in > 3000 && pair.expires_in <= 3600);

// A scope beyond that of the login, a token of another client, and no token at all.
await isRefused(oauth.refreshTokenGrant(config, pair.refresh_token, { scope: 'admin' }), 400, 'invalid_scope');
if (OTHER_REFRESH_TOKEN) {
  await isRefused(oauth.refreshTokenGrant(config, OTHER_REFRESH_TOKEN), 400, 'invalid_grant');
}
await isRefused(oauth.refreshTokenGrant(config, 'garbage'), 400, 'invalid_grant');

if (method === 'none') {
  await isRefused(oauth.tokenIntrospection(config, pair.access_token), 401, 'invalid_client');
} else {
  const active = await oauth.tokenIntrospection(config, pair.access_token);
  assert.equal(active.active, true);
  assert.equal(active.sub, 'alice');
  assert.equal(active.iss, issuer);
  assert.equal(active.token_type, 'Bearer');
  const refresh = await oauth.tokenIntrospection(config, pair.refresh_token);
  assert.equal(refresh.active, true);
  for (const token of [REFRESH_TOKEN, 'garbage']) {
    assert.deepEqual(await oauth.tokenIntrospection(config, token), { active: false });
  }
  const stranger = await discover(id, oauth.ClientSecretBasic('a wrong secret'));
  await isRefused(oauth.tokenIntrospection(stranger, pair.access_token), 401, 'invalid_client');
}

const resource = (token) => oauth.fetchProtectedResource(config, token, new URL('/protected', issuer), 'GET');
assert.equal((await resource(pair.access_token)).status, 200);
await oauth.tokenRevocation(config, 'garbage');
await oauth.tokenRevocation(config, pair.refresh_token);
await assert.rejects(resource(pair.access_token), (refused) => {
  assert.ok(refused instanceof oauth.WWWAuthenticateChallengeError);
  const [challenge] = refused.cause;
  assert.equal(challenge.scheme, 'bearer');
  assert.equal(challenge.parameters.error, 'invalid_token');
  assert.equal(challenge.parameters.resource_metadata, `${issuer}/.well-known/oauth-protected-resource`);
  return true;
});
await isRefused(oauth.refreshTokenGrant(config, pair.refresh_token), 400, 'invalid_grant');

const document = await fetch(`${issuer}/.well-known/oauth-protected-resource`);
assert.deepEqual((await document.json()).authorization_servers, [issuer]);
console.log('done');
