//! Section `flood`: how tokens of unknown keys and of unknown issuers affect honest clients and the server of
//! the keys.

mod cases;
mod figures;
mod honest;
mod key_server;
mod resource;
mod sender;

use std::{
    io,
    process::{Command, Stdio},
    time::Instant,
};

use flask_pyjwt::{AuthManager, AuthType, Config};

use self::{
    cases::CASES,
    figures::{Measured, Round, Run, add_results},
    key_server::KeyServer,
    resource::GUARDED,
    sender::{Order, Unknown},
};
pub(crate) use self::{
    honest::{MODE as HONEST, ask},
    resource::Resource,
    sender::{MODE as SENDER, send},
};
use crate::{
    claims::{self, SUBJECT},
    cores::cores,
    keys::Keys,
    report::Report,
    server::Server,
    settings::Settings,
};

const ISSUER: &str = "https://issuer.example.com";
const AUDIENCE: &str = "https://api.example.com";
/// Minimum seconds between two fetches for an unknown key.
const COOLDOWN: f64 = 10.0;

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let [server, load] = cores();
    if load.is_none() {
        eprintln!("flood: server and load generator share a core; the results mean little");
    }
    match measure([server, load], settings) {
        Ok(measured) => add_results(report, &measured),
        Err(error) => eprintln!("flood: {error}"),
    }
}

/// The program that starts a process with real-time priority: without it, every other process of the machine
/// affects the 99th percentile, and different ones in every round.
fn undisturbed() -> &'static [&'static str] {
    const REAL_TIME: &[&str] = &["chrt", "--rr", "1"];
    let tried = Command::new(REAL_TIME[0])
        .args(&REAL_TIME[1..])
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if tried.is_ok_and(|status| status.success()) {
        return REAL_TIME;
    }
    eprintln!("flood: no real-time priority (chrt, as root): other processes count as well");
    &[]
}

fn measure([core, load]: [Option<usize>; 2], settings: &Settings) -> io::Result<Measured> {
    let (sessions, rounds, milliseconds) = if settings.quick {
        (1, 1, 500)
    } else {
        (3, 8, 1_500)
    };
    let through = undisturbed();
    let keys = Keys::generate("EdDSA");
    let config = Config::new(ISSUER, AuthType::EdDSA, &keys.private).audience(AUDIENCE);
    let issuer = AuthManager::new(config.key_id("the known key")).map_err(io::Error::other)?;
    let token = claims::mint(&issuer, SUBJECT).signed().to_owned();
    let rest = token.split_once('.').map_or("", |(_, rest)| rest);
    let key_server = KeyServer::start(issuer)?;
    let site = Resource {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: key_server.url(),
    };
    let mut measured = Measured::default();
    for session in 1..=sessions {
        settings.progress(&format!("flood, session {session}"));
        let (began, before) = (Instant::now(), key_server.fetches());
        let server = Server::start_through(through, &site, core)?;
        let order = |(path, unknown): (&str, Unknown)| Order {
            address: server.address,
            core: load,
            path: path.to_owned(),
            rest: rest.to_owned(),
            unknown,
        };
        let honest = honest::Order {
            address: server.address,
            core: load,
            request: format!(
                "GET {GUARDED} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
            ),
            milliseconds,
        };
        for round in 0..=rounds {
            let mut runs = Round::default();
            for turn in 0..CASES.len() {
                // The order changes, so that no case always follows the same one.
                let place = (round + turn) % CASES.len();
                let order = CASES[place].1.map(order);
                let ask = || honest.carry_out(through);
                runs[place] = Run::of(&server, ask, order.as_ref())?;
            }
            if round > 0 {
                measured.rounds.push(runs);
            } // else to warm up
        }
        let seconds = began.elapsed().as_secs_f64();
        measured.seconds += seconds;
        measured.cooldowns += (seconds / COOLDOWN).ceil();
        // Without the first fetch of a server.
        measured.fetches += key_server.fetches() - before - 1;
    }
    Ok(measured)
}
