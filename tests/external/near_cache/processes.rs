//! Three servers in processes of their own: what one of them revokes, the others refuse.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
};

use actix_web::{
    HttpResponse,
    web::{self, ServiceConfig},
};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, RequireToken, require_token};
use serde_json::{Value, json};
use time::Duration;

use super::near;
use support::{
    frozen, hs256, manager,
    redis::{Server, needs_redis, wait_for},
    wire,
};

const REDIS: &str = "NEAR_CACHE_REDIS";
const MARK: &str = "listens on ";

#[require_token]
async fn me(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
    let pair = auth.login("alice").await?;
    let tokens = json!({"auth": pair.auth.signed(), "refresh": pair.refresh.signed()});
    Ok(HttpResponse::Ok().json(tokens))
}

async fn refresh(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    let pair = auth.refresh(&token).await?;
    let tokens = json!({"auth": pair.auth.signed(), "refresh": pair.refresh.signed()});
    Ok(HttpResponse::Ok().json(tokens))
}

#[require_token]
async fn logout(auth: AuthManager, token: CurrentToken) -> Result<String, Rejection> {
    auth.logout(&token).await?;
    Ok(String::new())
}

#[require_token]
async fn revoke(auth: AuthManager, token: CurrentToken) -> Result<String, Rejection> {
    auth.revoke_token(&token).await?;
    Ok(String::new())
}

#[require_token]
async fn revoke_all(auth: AuthManager, token: CurrentToken) -> Result<String, Rejection> {
    auth.revoke_subject(token.sub()).await?;
    Ok(String::new())
}

fn site(auth: &AuthManager) -> impl Fn(&mut ServiceConfig) + Send + Clone + 'static {
    let auth = auth.clone();
    move |app| {
        let refresh = web::resource("/refresh")
            .wrap(RequireToken::refresh())
            .to(refresh);
        app.app_data(auth.clone())
            .service(refresh)
            .route("/me", web::get().to(me))
            .route("/login", web::get().to(login))
            .route("/logout", web::get().to(logout))
            .route("/revoke", web::get().to(revoke))
            .route("/revoke-all", web::get().to(revoke_all));
    }
}

/// Another test runs this as separate processes. It ends when its input does.
#[actix_web::test]
async fn the_process() {
    let Ok(url) = env::var(REDIS) else { return };
    let store = near().connect(url).await.expect("connected");
    // A refresh token that is presented again is a replay at once.
    let config = hs256()
        .clock(frozen())
        .refresh_grace(Duration::ZERO)
        .lost_answer_window(Duration::ZERO)
        .max_sessions(2)
        .store_timeout(Duration::seconds(30));
    let server = wire::Server::start(site(&manager(config.session_store(store))));
    println!("{MARK}{}", server.port);
    let input = web::block(|| std::io::stdin().lines().count());
    input.await.expect("the end of the input");
}

/// It is killed when this is dropped.
struct Process {
    child: Child,
    _input: ChildStdin,
    port: u16,
}

impl Process {
    fn start(redis: &Server) -> Self {
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args([
                "--exact",
                "near_cache::processes::the_process",
                "--nocapture",
            ])
            .env(REDIS, redis.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process runs");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split_once(MARK)?.1.parse().ok());
        let input = child.stdin.take().expect("piped");
        let port = port.unwrap_or_else(|| {
            let _ = child.kill();
            panic!("it says no port: {:?}", child.wait())
        });
        Self {
            child,
            _input: input,
            port,
        }
    }

    fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let reply = wire::send_to(self.port, request.as_bytes());
        (reply.status, reply.json())
    }

    /// Requests what must be granted.
    fn gets(&self, path: &str, token: &str) -> Value {
        let (status, body) = self.get(path, token);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn login(&self) -> [String; 2] {
        tokens(&self.gets("/login", ""))
    }
}

fn tokens(body: &Value) -> [String; 2] {
    ["auth", "refresh"].map(|name| body[name].as_str().expect("a token").to_owned())
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until all refuse a token, which they have accepted before. From then on, they always do.
fn refuse(processes: &[Process], token: &str, what: &str) {
    for process in processes {
        wait_for(what, || (process.get("/me", token).0 == 401).then_some(()));
    }
    for process in processes.iter().cycle().take(20) {
        assert_eq!(process.get("/me", token).0, 401, "{what}");
    }
}

fn accept(processes: &[Process], token: &str) {
    // Twice, so that each keeps the answer.
    for process in processes.iter().cycle().take(processes.len() * 2) {
        process.gets("/me", token);
    }
}

#[test]
fn what_one_process_revokes_the_others_refuse() {
    needs_redis!();
    let redis = Server::start();
    let processes = [0, 1, 2].map(|_| Process::start(&redis));
    for round in 0..4 {
        let one = &processes[round % 3];
        for path in ["/logout", "/revoke", "/revoke-all"] {
            let [token, _] = one.login();
            accept(&processes, &token);
            one.gets(path, &token);
            // In this process, at once.
            assert_eq!(one.get("/me", &token).0, 401, "{path}");
            refuse(&processes, &token, path);
        }
        // A third login ends the first session.
        let [token, _] = one.login();
        accept(&processes, &token);
        let [second, _] = one.login();
        accept(&processes, &second);
        let [third, _] = one.login();
        let is_good = |token: &str| one.get("/me", token).0 == 200;
        assert!(is_good(&third));
        let (ended, left) = if is_good(&token) {
            (second, token)
        } else {
            (token, second)
        };
        refuse(&processes, &ended, "evicted");
        accept(&processes, &left);
        one.gets("/revoke-all", &left);
        refuse(&processes, &third, "all");
    }
}

#[test]
fn the_pair_of_a_refresh_is_accepted_everywhere_and_a_replay_ends_it_everywhere() {
    needs_redis!();
    let redis = Server::start();
    let processes = [0, 1, 2].map(|_| Process::start(&redis));
    for round in 0..4 {
        let [one, two, three] = [0, 1, 2].map(|place| &processes[(round + place) % 3]);
        let [first_auth, first] = one.login();
        accept(&processes, &first_auth);
        let [second_auth, second] = tokens(&two.gets("/refresh", &first));
        // Used for the first time in one process, and then in the others.
        accept(&processes, &second_auth);
        let [third_auth, _] = tokens(&three.gets("/refresh", &second));
        accept(&processes, &third_auth);
        let replay = one.get("/refresh", &first);
        assert_eq!(replay.0, 401, "{replay:?}");
        for token in [&third_auth, &second_auth, &first_auth] {
            refuse(&processes, token, "replayed");
        }
    }
}
