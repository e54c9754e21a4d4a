// A token that a thief cannot use. It is bound to a key of this browser, and each request carries a proof that only
// this key can sign (DPoP, RFC 9449). The page shows the token: without the key, it is of no use.

import { $, attempt } from "/app.js";

// --- The key and its token, in IndexedDB: both survive a reload ----------------------------------------

let kept = null; // {keys, token}, or nothing

/** Runs one request in a transaction of its own. Keys are stored as they are: nobody sees their bytes. */
function stored(mode, ask) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("bound-token", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("kept");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction("kept", mode);
      const asked = ask(transaction.objectStore("kept"));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
      database.close(); // after the transaction
    };
  });
}

const load = () => stored("readonly", (store) => store.get("token"));
const keep = (value) => stored("readwrite", (store) => store.put(value, "token"));
const forget = () => stored("readwrite", (store) => store.delete("token"));

/** `false`: the private key cannot be read, not even by this page. */
function makeKeys() {
  if (!crypto.subtle) {
    throw new Error("browsers make keys for pages with HTTPS only, or on this device");
  }
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

// --- Proofs --------------------------------------------------------------------------------------------

const bytes = (text) => new TextEncoder().encode(text);

const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const segment = (value) => base64url(bytes(JSON.stringify(value)));

/** A proof for one request: it names the method, the address, the time, and the hash of the token if there is one. */
async function proof(keys, method, url, token, nonce) {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000) };
  if (token) {
    claims.ath = base64url(await crypto.subtle.digest("SHA-256", bytes(token)));
  }
  if (nonce) {
    claims.nonce = nonce;
  }
  const signed = `${segment(header)}.${segment(claims)}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(algorithm, keys.privateKey, bytes(signed));
  return `${signed}.${base64url(signature)}`;
}

let nonce = null; // the last one that the server has told

/** Sends a request with a proof. Where the server asks for a nonce, sends it once more, with that nonce. */
async function sendProven({ keys, token }, method, path, form) {
  const url = new URL(path, location).href;
  const sendOnce = async () => {
    const headers = { DPoP: await proof(keys, method, url, token, nonce) };
    if (token) {
      headers.Authorization = `DPoP ${token}`;
    }
    const answer = await send(method, path, headers, form);
    nonce = answer.nonce ?? nonce;
    return answer;
  };
  const answer = await sendOnce();
  const needsNonce = answer.status === 401 && answer.body.error === "use_dpop_nonce" && answer.nonce;
  return needsNonce ? sendOnce() : answer;
}

/** Sends a request without cookies. */
async function send(method, path, headers, form) {
  const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "omit" };
  const body = form && new URLSearchParams(form);
  const response = await fetch(path, { ...options, body }).catch(() => {
    throw new Error("the server cannot be reached");
  });
  const text = await response.text();
  return {
    status: response.status,
    nonce: response.headers.get("DPoP-Nonce"),
    body: text ? JSON.parse(text) : {},
  };
}

// --- The page ------------------------------------------------------------------------------------------

function show() {
  $("bound-login").hidden = Boolean(kept);
  $("bound").hidden = !kept;
  $("bound-token").textContent = kept?.token ?? "";
  showAnswer();
}

function showAnswer(answer) {
  const isRefused = Boolean(answer) && answer.status !== 200;
  const opened = () => `the vault of ${answer.body.vault_of} is open`;
  const refused = () => answer.body.error_description ?? answer.body.error;
  $("vault").textContent = answer ? `${answer.status}: ${isRefused ? refused() : opened()}` : "";
  $("vault").classList.toggle("error", isRefused);
}

$("bound-login").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(event.submitter, async () => {
    const keys = await makeKeys();
    const answer = await sendProven({ keys }, "POST", "/bound/login", new FormData(form));
    if (answer.status !== 200) {
      const { error, error_description: why } = answer.body;
      throw Object.assign(new Error(why ?? `the server answered ${answer.status}`), { code: error });
    }
    const next = { keys, token: answer.body.auth_token };
    await keep(next);
    kept = next;
    form.reset();
    show();
    $("bound-title").focus();
    return "The token is bound to a key of this browser.";
  });
});

/** Asks for the vault, and shows what comes back. */
function askFor(button, send) {
  attempt(button, async () => {
    showAnswer();
    showAnswer(await send());
  });
}

$("use").addEventListener("click", ({ target }) =>
  askFor(target, () => sendProven(kept, "GET", "/bound/vault")),
);

$("steal").addEventListener("click", ({ target }) =>
  askFor(target, () => send("GET", "/bound/vault", { Authorization: `Bearer ${kept.token}` })),
);

$("forget").addEventListener("click", ({ target }) =>
  attempt(target, async () => {
    await forget();
    kept = null;
    show();
    $("bound-username").focus();
    return "Token and key are forgotten.";
  }),
);

kept = (await load().catch(() => null)) ?? null;
show();
