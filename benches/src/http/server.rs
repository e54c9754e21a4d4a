//! A server process: the bench executes itself in this mode.

use std::{io, net::SocketAddr, thread};

use actix_web::{App, HttpServer, web::ServiceConfig};
use serde::{Deserialize, Serialize};

use super::Way;
use crate::{
    cores::pin,
    flood::Resource,
    keys::Keys,
    process::{self, Process},
};

/// The argument that makes the bench a server.
pub(crate) const MODE: &str = "serve";

/// What a server process serves.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Site {
    /// One route, protected in this way.
    Route(Way, Keys),
    /// The routes of section `flood`.
    Resource(Resource),
}

impl Site {
    fn configure(&self, app: &mut ServiceConfig) {
        match self {
            Self::Route(way, keys) => way.configure(keys, app),
            Self::Resource(resource) => resource.configure(app),
        }
    }
}

/// A running server process. Dropped, it is stopped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts this very program as a server on this core.
    pub(super) fn start(site: &Site, core: Option<usize>) -> io::Result<Self> {
        Self::start_through(&[], site, core)
    }

    /// The same by another program.
    pub(crate) fn start_through(
        through: &[&str],
        site: &Site,
        core: Option<usize>,
    ) -> io::Result<Self> {
        let mut process = Process::start(through, MODE, &(site, core))?;
        let address = process.line()?.parse().map_err(io::Error::other)?;
        Ok(Self { address, process })
    }

    /// User and system time that the process has used so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> io::Result<u64> {
        self.process.cpu()
    }
}

/// What the server process does: serves until its standard input ends.
pub(crate) fn serve() -> io::Result<()> {
    let (site, core): (Site, Option<usize>) = process::order()?;
    pin(core);
    thread::spawn(|| {
        process::wait_for_end();
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || App::new().configure(|app| site.configure(app)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            println!("{address}");
        }
        server.run().await
    })
}
