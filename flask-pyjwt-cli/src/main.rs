//! `flask-pyjwt`: the command line of the package `flask-pyjwt`.

mod arguments;
mod configuration;
mod doctor;
mod explain;
mod failure;
mod generate;
mod input;
mod inspect;
mod jwks;
mod keygen;
mod keys_folder;
mod mint;
mod notes;
mod rotate;
mod seconds;
mod secrets;
mod sessions;
mod shell;
mod store;
mod terminal;
mod times;
mod variables;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
};

fn main() -> ExitCode {
    notes::print_warnings();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::error(&failure);
            failure.code()
        }
    }
}

fn run() -> Result<(), Failure> {
    // Before clap sees the arguments, because its errors repeat them.
    secrets::refuse_in(std::env::args_os().skip(1))?;
    // For help, version and wrong use, clap prints and ends the process with its own codes.
    let arguments = Arguments::parse();
    let global = &arguments.global;
    match &arguments.command {
        Command::Doctor(command) => doctor::run(global, command),
        Command::Keygen(command) => keygen::run(global, command),
        Command::Rotate(command) => rotate::run(global, command),
        Command::Jwks(command) => jwks::run(global, command),
        Command::Mint(command) => mint::run(global, command),
        Command::Inspect(command) => inspect::run(global, command),
        Command::Explain(command) => explain::run(global, command),
        Command::Sessions(command) => sessions::run(global, command),
        Command::Completions(command) => shell::completions(command),
        Command::Man => shell::man(),
    }
}
