//! Runs the program of one page of the guide: `guide sessions`. Without a page it lists those that have a program.
//!
//! The program listens on a free port of this machine, which its first line names.

use std::{
    env, io,
    net::TcpListener,
    process::{ExitCode, Termination as _},
};

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// Replaces the listener in each program.
fn listener() -> io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("Listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

fn main() -> ExitCode {
    if let Some(page) = env::args().nth(1) {
        run(&page)
    } else {
        println!("{}", PAGES.join("\n"));
        ExitCode::SUCCESS
    }
}
