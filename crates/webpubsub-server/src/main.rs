//! `webpubsub-server`: see `--help`.

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use webpubsub_server::{Options, OptionsError, run};

/// The exit code of a mistake on the command line.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Options::parse(env::args_os().skip(1)) {
        Ok(options) => options,
        Err(asked @ (OptionsError::Help | OptionsError::Version)) => {
            let _ = write!(io::stdout(), "{asked}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return problem(&error, USAGE),
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => problem(&error, if error.is_usage() { USAGE } else { 1 }),
    }
}

fn problem(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    let _ = writeln!(io::stderr(), "webpubsub-server: {error}.");
    ExitCode::from(code)
}
