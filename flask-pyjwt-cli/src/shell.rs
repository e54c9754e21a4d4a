//! `completions` and `man`.

use clap::{Command, CommandFactory as _};

use crate::{
    arguments::{self, Arguments},
    failure::Failure,
    terminal,
};

pub(crate) fn completions(command: &arguments::Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    let mut program = Arguments::command();
    clap_complete::generate(command.shell, &mut program, "flask-pyjwt", &mut text);
    terminal::print_bytes(&text)
}

/// The manual pages of the program and of all its commands, one after the other.
pub(crate) fn man() -> Result<(), Failure> {
    let mut program = Arguments::command();
    program.build();
    let mut text = Vec::new();
    render(&program, &mut text)?;
    terminal::print_bytes(&text)
}

fn render(command: &Command, text: &mut Vec<u8>) -> Result<(), Failure> {
    clap_mangen::Man::new(command.clone())
        .render(text)
        .map_err(|error| Failure::wrong(format!("the page cannot be written: {error}")))?;
    let commands = command.get_subcommands();
    for command in commands.filter(|it| it.get_name() != "help") {
        render(command, text)?;
    }
    Ok(())
}
