// The certified client `openid-client` at an authorization server on loopback: it gets an opaque access token of the
// client `service`, or revokes one.
//
// Arguments: the issuer, and `get`, the resource and the scope, or `revoke`. In the environment: `CREDENTIAL`, the secret
// of the client; `TOKEN`, the token to revoke. Prints the token, or `done`.

import assert from 'node:assert/strict';
import * as oauth from 'openid-client';

const [issuer, command, resource, scope] = process.argv.slice(2);
const { CREDENTIAL, TOKEN } = process.env;
const by = oauth.ClientSecretBasic(CREDENTIAL);
const options = { execute: [oauth.allowInsecureRequests] };
const config = await oauth.discovery(new URL(issuer), 'service', undefined, by, options);

if (command === 'get') {
  const { access_token: token } = await oauth.clientCredentialsGrant(config, { scope, resource });
  assert.equal((await oauth.tokenIntrospection(config, token)).active, true);
  console.log(token);
} else {
  await oauth.tokenRevocation(config, TOKEN);
  assert.deepEqual(await oauth.tokenIntrospection(config, TOKEN), { active: false });
  console.log('done');
}
