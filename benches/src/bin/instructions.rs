//! `instructions <case> <times>`: the program that `callgrind.sh` measures. Without a case, it lists the cases.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "metrics")]
    flask_pyjwt_benches::install_recorder();
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    if flask_pyjwt_benches::run_instructions(&case, times.unwrap_or(1)) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
