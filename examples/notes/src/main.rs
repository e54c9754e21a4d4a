//! Notes for several users: a whole application with flask-pyjwt, to copy and to delete from.
//!
//! `cargo run -p notes`, then open the address that it prints. `README.md` lists the routes and what each
//! file shows.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use actix_web::HttpServer;

mod accounts;
mod app;
mod database;
mod description;
mod error;
mod metrics;
mod notes;
mod page;
mod passwords;
mod secret;
mod sessions;
mod users;

#[cfg(test)]
mod tests;

#[actix_web::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_target(false).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        // An error returned from `main` would be printed by `Debug`.
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    // As for flask-pyjwt, a variable that is empty counts as not set.
    let port = match env::var_os("PORT").filter(|port| !port.is_empty()) {
        Some(port) => port
            .to_str()
            .and_then(|port| port.parse().ok())
            .ok_or_else(|| {
                format!(
                    "PORT is `{}`, and has to be a number up to 65535",
                    port.display()
                )
            })?,
        None => 8080,
    };
    let path = env::var_os("NOTES_DB").filter(|path| !path.is_empty());
    let path = path.map_or_else(|| PathBuf::from("notes.db"), PathBuf::from);

    // Opened once, before `HttpServer::new`: its closure runs in every worker.
    let state = app::State::open(&path).await?;
    let database = state.database.clone();
    metrics::tidy_up(state.recorder.clone());
    let server = HttpServer::new(move || app::create(&state))
        .bind(("127.0.0.1", port))
        .map_err(|error| format!("cannot listen on 127.0.0.1:{port}: {error}"))?
        // By default, actix-web drops the running requests on Ctrl-C.
        .shutdown_signal(interrupted())
        .shutdown_timeout(5);
    for address in server.addrs() {
        explain(&format!("http://{address}"), &path);
    }
    server.run().await?;
    database.close().await;
    println!("stopped");
    Ok(())
}

/// Waits for Ctrl-C, or for SIGTERM, which service managers send.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    tokio::signal::ctrl_c().await.ok();
}

fn explain(url: &str, path: &Path) {
    println!(
        r#"
notes is running: open {url} in a browser. The database is {path}.
The first user who registers is the admin. To try the API:

  curl {url}/register --json '{{"username": "alice", "password": "down the rabbit hole"}}'
  TOKEN=…   # the auth_token of that answer
  curl {url}/notes -H "Authorization: Bearer $TOKEN" --json '{{"text": "buy tea"}}'
  curl {url}/notes -H "Authorization: Bearer $TOKEN"
  curl {url}/admin/users -H "Authorization: Bearer $TOKEN"

Ctrl-C ends it."#,
        path = path.display()
    );
}
