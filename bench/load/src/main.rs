//! The load generator of `npm run bench`: carries out one workload against one server and measures it.
//!
//! It reads a [`plan::Plan`] as JSON from standard input, and prints the figures, a JSON object of
//! numbers, as its last line. Which server that is, how it was started and what its URLs are is the
//! plan's to say: the generator knows only how clients and servers talk to it ([`dialect`]).
//!
//! Everything runs on one thread, so that on a machine of two cores the server has the other one.
//! Each payload carries a number, by which every delivery is checked: [`tally`] counts what was lost,
//! doubled or delivered to the wrong client.

mod client;
mod dialect;
mod error;
mod figures;
mod plan;
mod process;
mod rest;
mod samples;
mod tally;
mod workloads;

use std::io::{Read, Write};
use std::process::ExitCode;

use error::LoadError;
use figures::Figures;
use plan::Plan;

fn main() -> ExitCode {
    let outcome = read_plan().and_then(|plan| measure(&plan));
    let written = match &outcome {
        Ok(figures) => writeln!(std::io::stdout(), "{figures}"),
        Err(error) => writeln!(std::io::stderr(), "{error}"),
    };
    if outcome.is_ok() && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read_plan() -> Result<Plan, LoadError> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(LoadError::Io)?;
    serde_json::from_str(&text).map_err(LoadError::Plan)
}

fn measure(plan: &Plan) -> Result<Figures, LoadError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LoadError::Io)?;
    let local = tokio::task::LocalSet::new();
    let figures = local.block_on(&runtime, workloads::run(plan));
    // Whatever is still open ends with the process: tidy closing is nothing that is measured.
    runtime.shutdown_background();
    figures
}
