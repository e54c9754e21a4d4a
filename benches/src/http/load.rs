//! The load generator: keep-alive connections, one request at a time on each.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Builder,
    task::JoinSet,
};

/// Connections that are open at the same time.
const CONNECTIONS: usize = 8;
/// No run sends more requests than this on one connection.
const MOST: usize = 200_000;

/// The results of a run: the time of every request in nanoseconds.
pub(crate) struct Load {
    pub(crate) latencies: Vec<f64>,
    pub(crate) seconds: f64,
}

/// Requests `/me` as often as the server responds, for so long.
pub(crate) fn load(
    address: SocketAddr,
    field: &(&'static str, String),
    budget: Duration,
) -> io::Result<Load> {
    let request = format!(
        "GET /me HTTP/1.1\r\nhost: localhost\r\n{}: {}\r\n\r\n",
        field.0, field.1
    );
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        let began = Instant::now();
        for _ in 0..CONNECTIONS {
            connections.spawn(connection(address, request.clone(), began + budget));
        }
        let mut latencies = Vec::new();
        while let Some(ended) = connections.join_next().await {
            latencies.append(&mut ended.map_err(io::Error::other)??);
        }
        let seconds = began.elapsed().as_secs_f64();
        Ok(Load { latencies, seconds })
    })
}

async fn connection(address: SocketAddr, request: String, end: Instant) -> io::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    // All responses are as long as the first one, which is short enough to arrive whole.
    stream.write_all(request.as_bytes()).await?;
    let mut answer = vec![0; 4_096];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    let mut latencies = Vec::with_capacity(16_384);
    while latencies.len() < MOST {
        let began = Instant::now();
        if began >= end {
            break;
        }
        stream.write_all(request.as_bytes()).await?;
        stream.read_exact(&mut answer).await?;
        if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
            return Err(io::Error::other(answer.escape_ascii().to_string()));
        }
        latencies.push(began.elapsed().as_secs_f64() * 1e9);
    }
    Ok(latencies)
}
