// The certified client `openid-client` between an authorization server that binds access tokens to a key (DPoP) and a
// resource server, both on loopback. Every expectation is an assertion, so a failure ends it with another status than 0.
//
// Arguments: the issuer; the address of the resource server; the resource, of which the tokens are; `jwt` or `opaque`,
// the form of its tokens; `nonce` if the resource server demands nonces. In the environment: `CREDENTIAL`, the secret of
// the client `service`.

import assert from 'node:assert/strict';
import * as jose from 'jose';
import * as oauth from 'openid-client';

const [issuer, server, resource, form, mode] = process.argv.slice(2);
const by = oauth.ClientSecretBasic(process.env.CREDENTIAL);
const options = { execute: [oauth.allowInsecureRequests] };
const config = await oauth.discovery(new URL(issuer), 'service', undefined, by, options);

const ask = (token, path, options) =>
  oauth.fetchProtectedResource(config, token, new URL(path, server), 'GET', undefined, undefined, options);

/** Asserts that the server refuses it with 401 and a challenge with this error. */
const isRefused = (work, error) => assert.rejects(work, (refused) => {
  assert.ok(refused instanceof oauth.WWWAuthenticateChallengeError, String(refused.cause ?? refused));
  assert.equal(refused.status, 401);
  const challenge = refused.cause.find(({ scheme }) => scheme === 'dpop');
  assert.equal(challenge?.parameters.error, error);
  return true;
});

const keys = await oauth.randomDPoPKeyPair('ES256');
assert.equal(keys.privateKey.extractable, false);
const DPoP = oauth.getDPoPHandle(config, keys);
const grant = { scope: 'read', resource };
const bound = await oauth.clientCredentialsGrant(config, grant, { DPoP });
assert.equal(bound.token_type, 'dpop');
assert.equal(bound.access_token.split('.').length === 3, form === 'jwt');
const thumbprint = await DPoP.calculateThumbprint();
if (form === 'jwt') assert.equal(jose.decodeJwt(bound.access_token).cnf.jkt, thumbprint);

// With its key, and once more: the handle then has the nonce, and the server has seen the token.
for (const path of ['/bound', '/read', '/bound']) {
  const answer = await ask(bound.access_token, path, { DPoP });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { client: 'service', key: thumbprint });
}

// The server answers the first proof of a handle without a nonce with one.
const fresh = await fetch(new URL('/bound', server), {
  headers: { authorization: `DPoP ${bound.access_token}`, dpop: await proof(keys, '/bound', bound.access_token) },
});
assert.equal(fresh.status, mode === 'nonce' ? 401 : 200);
assert.equal(fresh.headers.has('dpop-nonce'), mode === 'nonce');

async function proof({ privateKey, publicKey }, path, token) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  const claims = { htm: 'GET', htu: new URL(path, server).href, ath: jose.base64url.encode(new Uint8Array(digest)) };
  return new jose.SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await jose.exportJWK(publicKey) })
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .sign(privateKey);
}

// Stolen: as a Bearer token, and with the key of another client.
const other = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair('ES256'));
for (const path of ['/bound', '/read']) {
  await isRefused(ask(bound.access_token, path), 'invalid_token');
  await isRefused(ask(bound.access_token, path, { DPoP: other }), 'invalid_dpop_proof');
}

// A token that is bound to nothing.
const free = await oauth.clientCredentialsGrant(config, grant);
assert.equal(free.token_type, 'bearer');
assert.equal((await ask(free.access_token, '/read')).status, 200);
await isRefused(ask(free.access_token, '/bound'), 'invalid_token');
await isRefused(ask(free.access_token, '/bound', { DPoP }), 'invalid_token');
console.log('done');
