//! Honest clients: a process with a few connections, which sends a request on each of them every two
//! milliseconds.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    cores::pin,
    process::{self, Process},
};

/// The argument that starts the bench as the honest clients.
pub(crate) const MODE: &str = "ask";
const CLIENTS: u32 = 4;
/// The interval between two requests of a client.
const INTERVAL: Duration = Duration::from_millis(2);

/// The requests, and the server.
#[derive(Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) core: Option<usize>,
    pub(super) request: String,
    pub(super) milliseconds: u64,
}

impl Order {
    /// Starts a process that sends the requests. Returns the time of every response in microseconds.
    pub(super) fn carry_out(&self, through: &[&str]) -> io::Result<Vec<f64>> {
        let times = Process::start(through, MODE, self)?.line()?;
        serde_json::from_str(&times).map_err(|_| io::Error::other("no honest answers"))
    }
}

/// The body of the process.
pub(crate) fn ask() -> io::Result<()> {
    let order: Order = process::order()?;
    pin(order.core);
    let budget = Duration::from_millis(order.milliseconds);
    let times = ask_on_all(&order, budget)?;
    println!("{}", serde_json::to_string(&times)?);
    Ok(())
}

fn ask_on_all(order: &Order, budget: Duration) -> io::Result<Vec<f64>> {
    let mut all = Vec::new();
    thread::scope(|scope| {
        let began = Instant::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                // Evenly distributed, not all at once.
                let first = began + INTERVAL * client / CLIENTS;
                scope.spawn(move || ask_on_one(order, first, began + budget))
            })
            .collect();
        for client in clients {
            let times = client.join().map_err(|_| io::Error::other("panicked"))?;
            all.append(&mut times?);
        }
        Ok(all)
    })
}

fn ask_on_one(order: &Order, first: Instant, end: Instant) -> io::Result<Vec<f64>> {
    let request = order.request.as_bytes();
    let mut stream = TcpStream::connect(order.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // All responses are as long as the first one, which is short enough to arrive whole.
    stream.write_all(request)?;
    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer)?;
    answer.truncate(length);
    let mut times = Vec::new();
    let mut due = first;
    while due < end {
        let left = due.saturating_duration_since(Instant::now());
        // A request that was held up by the previous one counts as late from the time at which it was due. If
        // this thread is woken late, that is not the server's delay.
        let began = if left.is_zero() {
            due
        } else {
            thread::sleep(left);
            Instant::now()
        };
        stream.write_all(request)?;
        stream.read_exact(&mut answer)?;
        if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            return Err(io::Error::other(answer.escape_ascii().to_string()));
        }
        times.push(began.elapsed().as_secs_f64() * 1e6);
        due += INTERVAL;
    }
    Ok(times)
}
