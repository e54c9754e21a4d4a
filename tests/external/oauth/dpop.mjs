// The certified client `openid-client` and the library `jose` with tokens that are bound to their keys (DPoP, RFC 9449),
// against `examples/oauth` on loopback. Every expectation is an assertion, so a failure ends it with another status than 0.
//
// Arguments: the issuer, and `nonce` if the server demands nonces. In the environment: `CREDENTIAL`, the secret of the
// client `demo`.

import assert from 'node:assert/strict';
import * as jose from 'jose';
import * as oauth from 'openid-client';

const [issuer, mode] = process.argv.slice(2);
const demandsNonces = mode === 'nonce';
const by = oauth.ClientSecretBasic(process.env.CREDENTIAL);
const options = { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] };
const config = await oauth.discovery(new URL(issuer), 'demo', undefined, by, options);
const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'PS256'];
const listed = config.serverMetadata().dpop_signing_alg_values_supported;
for (const algorithm of algorithms) assert.ok(listed.includes(algorithm), `${algorithm} is listed`);

const address = (path) => new URL(path, issuer).href;

/** A proof made by `jose`, with these claims changed or added. `undefined` removes one. */
async function proof({ alg, privateKey, publicKey }, method, path, { token, ...changed } = {}) {
  const digest = token && await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  const ath = digest && jose.base64url.encode(new Uint8Array(digest));
  const iat = Math.floor(Date.now() / 1000);
  const claims = { htm: method, htu: address(path), ath, iat, jti: crypto.randomUUID(), ...changed };
  return new jose.SignJWT(claims)
    .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk: await jose.exportJWK(publicKey) })
    .sign(privateKey);
}

const login = (dpop) => fetch(address('/login'), {
  method: 'POST',
  headers: { dpop },
  body: new URLSearchParams({ username: 'alice', password: 'wonderland' }),
});

const get = (path, token, dpop) => fetch(address(path), { headers: { authorization: `DPoP ${token}`, dpop } });

/** Asserts the status and error of a refusal, and returns the nonce that came with it. */
async function isRefusedWith(answer, status, error) {
  assert.equal(answer.status, status);
  assert.equal((await answer.json()).error, error);
  const challenge = answer.headers.get('www-authenticate');
  if (status === 401) assert.match(challenge, new RegExp(`^DPoP .*error="${error}"`));
  return answer.headers.get('dpop-nonce');
}

/** The nonce that the server demands, by sending a proof without one. */
async function nonceFor(keys) {
  if (!demandsNonces) return undefined;
  const nonce = await isRefusedWith(await login(await proof(keys, 'POST', '/login')), 401, 'use_dpop_nonce');
  assert.ok(nonce);
  return nonce;
}

const ask = (token, path, options) =>
  oauth.fetchProtectedResource(config, token, new URL(path, issuer), 'GET', undefined, undefined, options);

/** Asserts that a resource refuses it with 401 and a challenge of DPoP with this error. */
const isChallenged = (work, error) => assert.rejects(work, (refused) => {
  assert.ok(refused instanceof oauth.WWWAuthenticateChallengeError, String(refused.cause ?? refused));
  assert.equal(refused.status, 401);
  const challenge = refused.cause.find(({ scheme }) => scheme === 'dpop');
  assert.equal(challenge?.parameters.error, error);
  return true;
});

/** Asserts that the token endpoint refuses it with this error. */
const isDenied = (work, error) => assert.rejects(work, (refused) => {
  assert.ok(refused instanceof oauth.ResponseBodyError, String(refused.cause ?? refused));
  assert.deepEqual([refused.status, refused.error], [400, error]);
  return true;
});

/** Logs in, and asserts what holds for the tokens of every key. Returns them with the handle of `openid-client`. */
async function bindTo(keys) {
  assert.equal(keys.privateKey.extractable, false);
  const nonce = await nonceFor(keys);
  const answer = await login(await proof(keys, 'POST', '/login', { nonce }));
  assert.equal(answer.status, 200, `${keys.alg}: ${await answer.clone().text()}`);
  const pair = await answer.json();
  const thumbprint = await jose.calculateJwkThumbprint(await jose.exportJWK(keys.publicKey));
  assert.equal(jose.decodeJwt(pair.auth_token).cnf.jkt, thumbprint);

  // A request whose proof `jose` made, and the same proof again.
  const used = await proof(keys, 'GET', '/bound', { token: pair.auth_token, nonce });
  const accepted = await get('/bound', pair.auth_token, used);
  assert.equal(accepted.status, 200, keys.alg);
  assert.deepEqual(await accepted.json(), { sub: 'alice', key: thumbprint });
  await isRefusedWith(await get('/bound', pair.auth_token, used), 401, 'invalid_dpop_proof');

  // Its proofs have `Ed25519` as the name of EdDSA (RFC 9864); those of `jose` have the older name.
  const handle = oauth.getDPoPHandle(config, keys);
  assert.equal(await handle.calculateThumbprint(), thumbprint);
  return { pair, handle, thumbprint, nonce };
}

const random = await oauth.randomDPoPKeyPair('ES256');
const keys = { alg: 'ES256', privateKey: random.privateKey, publicKey: random.publicKey };
const { pair, handle: DPoP, thumbprint, nonce } = await bindTo(keys);
const other = { DPoP: oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair('ES256')) };

// The refresh token, too, is bound: to nobody else it is worth anything, and the attempts do not end it.
await isDenied(oauth.refreshTokenGrant(config, pair.refresh_token), 'invalid_dpop_proof');
await isDenied(oauth.refreshTokenGrant(config, pair.refresh_token, undefined, other), 'invalid_dpop_proof');
const next = await oauth.refreshTokenGrant(config, pair.refresh_token, undefined, { DPoP });
assert.equal(next.token_type, 'dpop');
assert.equal(next.scope, 'read write');

// Without the secret of `demo`: the proof alone is enough, and it has to be that of the key.
const publicly = async (refreshToken, dpop) => fetch(address('/token'), {
  method: 'POST',
  headers: dpop ? { dpop } : {},
  body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
});
assert.ok(config.serverMetadata().token_endpoint_auth_methods_supported.includes('none'));
const made = { alg: 'ES256', ...await oauth.randomDPoPKeyPair('ES256') };
for (const dpop of [undefined, await proof(made, 'POST', '/token', { nonce })]) {
  const answer = await publicly(next.refresh_token, dpop);
  assert.equal(answer.status, 401);
  assert.equal((await answer.json()).error, 'invalid_client');
}
const answer = await publicly(next.refresh_token, await proof(keys, 'POST', '/token', { nonce }));
assert.equal(answer.status, 200);
const last = await answer.json();
assert.equal(last.token_type, 'DPoP');
const token = last.access_token;
for (const path of ['/bound', '/protected']) {
  assert.equal((await ask(token, path, { DPoP })).status, 200);
  // Stolen: as a Bearer token, also with a good proof, and with another key.
  await isChallenged(ask(token, path), 'invalid_token');
  await isChallenged(ask(token, path, other), 'invalid_dpop_proof');
  const dpop = await proof(keys, 'GET', path, { token, nonce });
  const downgraded = await fetch(address(path), { headers: { authorization: `Bearer ${token}`, dpop } });
  assert.equal(downgraded.status, 401);
}

// Each part of a proof counts.
for (const [path, changed] of [
  ['/bound', { htm: 'POST' }],
  ['/bound', { htu: address('/protected') }],
  ['/bound', { token: pair.auth_token }],
  ['/bound', { token: undefined }],
  ['/bound', { iat: Math.floor(Date.now() / 1000) - 3600 }],
  ['/bound', { iat: Math.floor(Date.now() / 1000) + 3600 }],
  ['/bound', { jti: undefined }],
]) {
  const dpop = await proof(keys, 'GET', path, { token, nonce, ...changed });
  await isRefusedWith(await get(path, token, dpop), 401, 'invalid_dpop_proof');
}
const forged = await proof(keys, 'GET', '/bound', { token, nonce: 'made up' });
assert.equal((await get('/bound', token, forged)).status, demandsNonces ? 401 : 200);

const active = await oauth.tokenIntrospection(config, token);
assert.equal(active.active, true);
assert.equal(active.token_type, 'DPoP');
assert.deepEqual(active.cnf, { jkt: thumbprint });
const refresh = await oauth.tokenIntrospection(config, last.refresh_token);
assert.deepEqual(refresh.cnf, { jkt: thumbprint });
assert.equal(refresh.token_type, undefined);

// Every algorithm, by `jose` and by `openid-client` with the same key.
for (const alg of algorithms) {
  const made = await jose.generateKeyPair(alg, { modulusLength: 2048 });
  const { pair, handle: DPoP } = await bindTo({ alg, ...made });
  const next = await oauth.refreshTokenGrant(config, pair.refresh_token, undefined, { DPoP });
  assert.equal(next.token_type, 'dpop', alg);
  assert.equal((await ask(next.access_token, '/bound', { DPoP })).status, 200, alg);
}

await oauth.tokenRevocation(config, last.refresh_token);
await isChallenged(ask(token, '/bound', { DPoP }), 'invalid_token');
console.log('done');
