//! Requests over HTTP to a server whose sessions are in memory, in Redis, or in Redis with a near cache.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::OnceLock,
    thread,
    time::Duration,
};

use actix_web::{
    HttpResponse,
    rt::System,
    web::{self, ServiceConfig},
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, MemoryStore, Rejection, require_token,
};
use serde::{Deserialize, Serialize};

use super::{super::RedisServer, store};
use crate::{
    cores::{cores, pin},
    http::load,
    race::percentile,
    report::{Cell, Report, Table},
    server::{Server, Site},
    settings::Settings,
};

/// A server whose sessions are kept in this way.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    way: Way,
    url: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Memory,
    Near,
    Redis,
}

impl Way {
    const ALL: [Self; 3] = [Self::Memory, Self::Near, Self::Redis];

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Near => "redis with near cache",
            Self::Redis => "redis",
        }
    }
}

#[require_token]
async fn me(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
    let pair = auth.login("alice").await?;
    Ok(HttpResponse::Ok().body(pair.auth.signed().to_owned()))
}

impl Site for Stored {
    const MODE: &'static str = "serve-stored";

    fn configure(&self, app: &mut ServiceConfig) {
        static AUTH: OnceLock<AuthManager> = OnceLock::new();
        let auth = AUTH.get_or_init(|| {
            // The worker's own runtime cannot wait here.
            let own = self.clone();
            let connecting = thread::spawn(move || System::new().block_on(own.manager()));
            connecting.join().expect("no panic")
        });
        app.app_data(auth.clone())
            .route("/me", web::get().to(me))
            .route("/login", web::get().to(login));
    }
}

impl Stored {
    async fn manager(&self) -> AuthManager {
        let secret = "a secret of at least 32 bytes for a measurement";
        let config = Config::new("bench", AuthType::HS256, secret);
        let config = match self.way {
            Way::Memory => config.session_store(MemoryStore::default()),
            Way::Near => config.session_store(store(&self.url, true).await),
            Way::Redis => config.session_store(store(&self.url, false).await),
        };
        AuthManager::new(config).expect("a valid configuration")
    }
}

pub(super) fn run(settings: &Settings, report: &mut Report) -> io::Result<()> {
    let [server, load] = cores();
    // In a separate thread, so that the other sections do not stay on its core.
    thread::scope(|scope| {
        let measuring = scope.spawn(|| {
            pin(load);
            measure(server, settings)
        });
        let rates = measuring.join().expect("no panic")?;
        let columns = ["sessions in", "requests/s", "of memory"];
        let mut table = Table::new("Near cache: requests over HTTP", &columns);
        for (place, way) in Way::ALL.iter().enumerate() {
            let rate = percentile(rates.iter().map(|round| round[place]).collect(), 50);
            let ratios = rates.iter().map(|round| round[place] / round[0]);
            let ratio = percentile(ratios.collect(), 50);
            table.row(way.name(), [Cell::Number(rate, 0), Cell::Number(ratio, 3)]);
            if *way == Way::Near {
                let what = "near cache: requests/s over HTTP, of memory";
                report.at_least(what, 0.95, ratio);
            }
        }
        report.table(table);
        Ok(())
    })
}

/// Requests a second of each way, in each round.
fn measure(core: Option<usize>, settings: &Settings) -> io::Result<Vec<[f64; Way::ALL.len()]>> {
    let redis = RedisServer::start().ok_or(io::ErrorKind::NotFound)?;
    let (rounds, budget) = if settings.quick { (3, 50) } else { (40, 150) };
    let start = |way| {
        let site = Stored {
            way,
            url: redis.url(),
        };
        let server = Server::start(&site, core)?;
        let token = token(server.address)?;
        Ok((server, ("authorization", format!("Bearer {token}"))))
    };
    let servers = Way::ALL
        .into_iter()
        .map(start)
        .collect::<io::Result<Vec<_>>>()?;
    let mut rates = Vec::new();
    for round in 0..=rounds {
        let mut of_round = [0.0; Way::ALL.len()];
        for turn in 0..of_round.len() {
            // The order changes, so that no way always follows the same one.
            let place = (round + turn) % of_round.len();
            let (server, field) = &servers[place];
            let load = load(server.address, field, Duration::from_millis(budget))?;
            of_round[place] = load.latencies.len() as f64 / load.seconds;
        }
        if round > 0 {
            rates.push(of_round);
        } // else to warm up
    }
    Ok(rates)
}

/// A token of a new session.
fn token(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /login HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, token) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(token.to_owned())
}
