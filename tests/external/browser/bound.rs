//! The page's bound token (DPoP, RFC 9449): the browser uses it with a key that cannot leave it, and a copy of the token
//! is refused everywhere else.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::page::{Page, with_page};
use support::{dpop::Proof, site::Reply, wire};

const VAULT: &str = "/bound/vault";
const OPEN: &str = "200: the vault of alice is open";

/// What the page has in IndexedDB: `kept.keys` and `kept.token`.
const KEPT: &str = "
    const kept = await new Promise((resolve, reject) => {
        const opening = indexedDB.open('bound-token', 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
            const asked = opening.result.transaction('kept').objectStore('kept').get('token');
            asked.onsuccess = () => resolve(asked.result);
            asked.onerror = () => reject(asked.error);
            opening.result.close();
        };
    });";

/// Notes each request of the page's script, and sends it.
const RECORD: &str = "
    window.sent = [];
    const send = window.fetch;
    window.fetch = (path, options) => {
        sent.push([path, options.headers.Authorization ?? null, options.headers.DPoP ?? null]);
        return send(path, options);
    };";

/// Notes each request of the page's script, and sends none.
const INTERCEPT: &str = "
    window.sent = [];
    window.fetch = async (path, options) => {
        sent.push([path, options.headers.Authorization ?? null, options.headers.DPoP ?? null]);
        throw new TypeError('intercepted');
    };";

impl Page {
    /// Gets a bound token, and returns its text, which the page shows.
    async fn log_in_bound(&self, name: &str, password: &str) -> String {
        self.fill_in("#bound-username", name).await;
        self.fill_in("#bound-password", password).await;
        self.press("#bound-login button").await;
        self.shows("#message", "bound to a key of this browser")
            .await;
        self.shown_token().await
    }

    async fn shown_token(&self) -> String {
        self.shows("#bound-token", ".").await;
        let token = self
            .run("return document.querySelector('#bound-token').textContent")
            .await;
        let token = token.as_str().expect("a text").to_owned();
        assert_eq!(token.split('.').count(), 3, "{token}");
        token
    }

    /// The credentials and the proof that the page's script has sent last, or wanted to send.
    async fn last_sent(&self) -> (String, String) {
        let sent = self.run("return sent.at(-1)").await;
        assert_eq!(sent[0], VAULT);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (text(&sent[1]), text(&sent[2]))
    }

    /// The statuses of the responses from these paths since the last call.
    async fn statuses(&self, paths: &[&str]) -> Vec<u64> {
        let answers = self.browser.answers().await.into_iter();
        let of_paths = answers.filter(|answer| {
            let path = answer.url.strip_prefix(&self.url);
            path.is_some_and(|path| paths.contains(&path))
        });
        of_paths.map(|answer| answer.status).collect()
    }

    /// Sends a request with these credentials from a program outside of the browser.
    fn send_from_elsewhere(&self, authorization: &str, proof: Option<&str>) -> Reply {
        let (_, address) = self.url.split_once("://").expect("an address");
        let (_, port) = address.split_once(':').expect("a port");
        let proof = proof.map(|proof| format!("DPoP: {proof}\r\n"));
        let request = format!(
            "GET {VAULT} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAccept: application/json\r\n\
             Authorization: {authorization}\r\n{}\r\n",
            proof.unwrap_or_default()
        );
        wire::send_to(port.parse().expect("a port"), request.as_bytes())
    }

    /// A proof for the vault, with the key of somebody else.
    fn foreign_proof(&self) -> Proof {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        Proof::new("GET", &format!("{}{VAULT}", self.url)).claim("iat", now)
    }
}

fn is_refused(reply: &Reply, error: &str, what: &str) {
    let challenge = reply.field("www-authenticate");
    let expected = format!("error=\"{error}\"");
    assert_eq!(reply.status, 401, "{what}");
    assert!(challenge.starts_with("DPoP "), "{what}: {challenge}");
    assert!(challenge.contains(&expected), "{what}: {challenge}");
}

#[actix_web::test]
async fn a_bound_token_is_used_with_its_key_which_survives_a_reload() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        let token = page.log_in_bound("alice", "wonderland").await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;

        page.open().await;
        assert_eq!(page.shown_token().await, token);
        page.shows("#login-title", "Log in").await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;

        // Forgotten is forgotten. The next token has another key.
        let thumbprint = "return JSON.parse(atob(
            arguments[0].split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).cnf.jkt";
        let first = page.run_with(thumbprint, token).await;
        page.press("#forget").await;
        page.shows("#message", "Token and key are forgotten.").await;
        page.open().await;
        page.count("#bound-login", 1).await;
        let token = page.log_in_bound("alice", "wonderland").await;
        let second = page.run_with(thumbprint, token).await;
        assert!(first.is_string() && second.is_string() && first != second);
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
    })
    .await;
}

#[actix_web::test]
async fn threat_63_no_script_can_read_the_private_key() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.log_in_bound("alice", "wonderland").await;

        let script = format!(
            "{KEPT}
             const {{privateKey, publicKey}} = kept.keys;
             const subtle = crypto.subtle;
             const outcome = (promise) => promise.then(() => 'done', (error) => error.name);
             const wrapping = await subtle.generateKey(
                {{name: 'AES-GCM', length: 256}}, true, ['wrapKey', 'unwrapKey']);
             const iv = crypto.getRandomValues(new Uint8Array(12));
             const sign = {{name: 'ECDSA', hash: 'SHA-256'}};
             return {{
                type: privateKey.type,
                json: JSON.stringify(privateKey),
                private_as_jwk: await outcome(subtle.exportKey('jwk', privateKey)),
                private_as_pkcs8: await outcome(subtle.exportKey('pkcs8', privateKey)),
                private_wrapped: await outcome(
                    subtle.wrapKey('pkcs8', privateKey, wrapping, {{name: 'AES-GCM', iv}})),
                public_as_jwk: await outcome(subtle.exportKey('jwk', publicKey)),
                signature: await outcome(subtle.sign(sign, privateKey, new Uint8Array(1))),
             }};"
        );
        let expected = json!({
            "type": "private",
            "json": "{}",
            "private_as_jwk": "InvalidAccessError",
            "private_as_pkcs8": "InvalidAccessError",
            "private_wrapped": "InvalidAccessError",
            "public_as_jwk": "done",
            "signature": "done",
        });
        assert_eq!(page.run(&script).await, expected);
        // Nor after a reload, when the key comes from the database.
        page.open().await;
        assert_eq!(page.run(&script).await, expected);
    })
    .await;
}

#[actix_web::test]
async fn threat_63_a_copied_token_is_refused_everywhere_else() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        let token = page.log_in_bound("alice", "wonderland").await;
        let elsewhere = |authorization: &str, proof| page.send_from_elsewhere(authorization, proof);

        // From the same page, without a proof.
        page.press("#steal").await;
        page.shows("#vault", "401:").await;

        // From another program: without a proof, and with a proof of the attacker's own key.
        let bearer = format!("Bearer {token}");
        let dpop = format!("DPoP {token}");
        let own = page.foreign_proof().of(&token).sign();
        is_refused(&elsewhere(&bearer, None), "invalid_token", "as Bearer");
        is_refused(
            &elsewhere(&bearer, Some(&own)),
            "invalid_token",
            "as Bearer, own proof",
        );
        is_refused(&elsewhere(&dpop, None), "invalid_dpop_proof", "no proof");
        is_refused(
            &elsewhere(&dpop, Some(&own)),
            "invalid_dpop_proof",
            "own key",
        );

        // The attacker names the page's key, which every proof contains, and signs with their own.
        page.run(RECORD).await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
        let (_, recorded) = page.last_sent().await;
        let header = recorded.split('.').next().expect("a header");
        let header: Value = serde_json::from_slice(&support::forge::decode(header)).expect("JSON");
        let forged = page.foreign_proof().of(&token);
        let forged = forged.member("jwk", header["jwk"].clone()).sign();
        is_refused(
            &elsewhere(&dpop, Some(&forged)),
            "invalid_dpop_proof",
            "forged",
        );

        // In another browser, the token has no key.
        let other = page.in_another_browser().await;
        other.open().await;
        other.count("#bound-login", 1).await;
        let script =
            "const options = (scheme) => ({headers: {Authorization: `${scheme} ${arguments[0]}`}});
            const status = async (scheme) => (await fetch('/bound/vault', options(scheme))).status;
            return [await status('Bearer'), await status('DPoP')];";
        let statuses = other.run_with(script, token).await;
        other.browser.close().await;
        assert_eq!(statuses, json!([401, 401]));

        // The page itself still has its token.
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
    })
    .await;
}

#[actix_web::test]
async fn threat_63_a_proof_of_the_page_opens_once() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        let token = page.log_in_bound("alice", "wonderland").await;

        // Recorded from a request that has arrived.
        page.run(RECORD).await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
        let (authorization, proof) = page.last_sent().await;
        assert_eq!(authorization, format!("DPoP {token}"));
        let replayed = page.send_from_elsewhere(&authorization, Some(&proof));
        is_refused(&replayed, "invalid_dpop_proof", "replayed");

        // Of a request that never arrived, the proof is good, and only once: it was refused above for its replay, and not
        // because it came from another program.
        page.run(INTERCEPT).await;
        page.press("#use").await;
        page.shows("#message", "the server cannot be reached").await;
        let (authorization, proof) = page.last_sent().await;
        let first = page.send_from_elsewhere(&authorization, Some(&proof));
        assert_eq!(first.status, 200);
        assert_eq!(first.json(), json!({"vault_of": "alice"}));
        let second = page.send_from_elsewhere(&authorization, Some(&proof));
        is_refused(&second, "invalid_dpop_proof", "used");
    })
    .await;
}

#[actix_web::test]
async fn where_a_nonce_is_demanded_the_page_asks_once_and_remembers_it() {
    with_page(&[("DPOP_NONCE", "1")], async |page: &Page| {
        page.open().await;
        page.browser.answers().await;
        page.log_in_bound("alice", "wonderland").await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
        assert_eq!(
            page.statuses(&["/bound/login", VAULT]).await,
            [401, 200, 200]
        );

        // A page that was loaded again has no nonce yet.
        page.open().await;
        page.press("#use").await;
        page.shows("#vault", OPEN).await;
        assert_eq!(page.statuses(&[VAULT]).await, [401, 200]);
    })
    .await;
}

#[actix_web::test]
async fn a_bound_login_needs_a_proof_and_the_password() {
    with_page(&[], async |page: &Page| {
        page.open().await;
        page.fill_in("#bound-username", "alice").await;
        page.fill_in("#bound-password", "wrong").await;
        page.press("#bound-login button").await;
        page.shows("#message", "The name or the password is wrong.")
            .await;
        page.count("#bound", 0).await;

        let script =
            "const body = new URLSearchParams({username: 'alice', password: 'wonderland'});
            const ask = async (headers) => {
                const answer = await fetch('/bound/login', {method: 'POST', body, headers});
                return [answer.status, (await answer.json()).error];
            };
            return [await ask({}), await ask({DPoP: 'no.proof.here'})];";
        assert_eq!(
            page.run(script).await,
            json!([[400, "proof_required"], [401, "invalid_dpop_proof"]])
        );
    })
    .await;
}
