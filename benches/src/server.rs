//! A server process: the bench runs itself as one.

use std::{io, net::SocketAddr, thread};

use actix_web::{App, HttpServer, web::ServiceConfig};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    cores::pin,
    process::{self, Process},
};

/// What a server process serves.
pub(crate) trait Site: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// The argument that starts the bench as a server of such sites.
    const MODE: &'static str;

    /// Registers the routes.
    fn configure(&self, app: &mut ServiceConfig);
}

/// A running server process, which is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts this program as a server on this core.
    pub(crate) fn start<S: Site>(site: &S, core: Option<usize>) -> io::Result<Self> {
        Self::start_through(&[], site, core)
    }

    /// The same through another program.
    pub(crate) fn start_through<S: Site>(
        through: &[&str],
        site: &S,
        core: Option<usize>,
    ) -> io::Result<Self> {
        let mut process = Process::start(through, S::MODE, &(site, core))?;
        let address = process.line()?.parse().map_err(io::Error::other)?;
        Ok(Self { address, process })
    }

    /// User and system time of the process so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> io::Result<u64> {
        self.process.cpu()
    }
}

/// The body of the server process: it serves until its standard input is closed.
pub(crate) fn serve<S: Site>() -> io::Result<()> {
    let (site, core): (S, Option<usize>) = process::order()?;
    pin(core);
    thread::spawn(|| {
        process::wait_for_end();
        std::process::exit(0);
    });
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let site = site.clone();
            App::new().configure(move |app| site.configure(app))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            println!("{address}");
        }
        server.run().await
    })
}
