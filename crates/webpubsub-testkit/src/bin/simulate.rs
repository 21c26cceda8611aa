//! The long simulation of `npm run simulate`: so many seeds, so many steps each.
//!
//! `simulate` prints the names of the bugs that can be planted, `simulate SEED SEEDS STEPS DISK`, where
//! the disk is `memory` or `sqlite`, and perhaps `BUG` runs, prints how many seeds are done, then what happened in all of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

use webpubsub_testkit::simulation::{
    Bug, DiskKind, Failure, Run, StreamSummary, Summary, simulate, simulate_streams,
};

/// How many seeds go by between two words about progress.
const REPORT_EVERY: u64 = 1000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        Bug::ALL.iter().for_each(|bug| println!("{bug:?}"));
        return ExitCode::SUCCESS;
    }
    let numbers: Vec<u64> = arguments.iter().filter_map(|number| number.parse().ok()).collect();
    let named = |name: &String| Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == *name);
    let disk = match arguments.get(3).map(String::as_str) {
        Some("memory") => Some(DiskKind::Memory),
        Some("sqlite") => Some(DiskKind::Sqlite),
        _ => None,
    };
    let bug = arguments.get(4).map(named);
    let ([seed, seeds, steps], Some(disk), None | Some(Some(_))) = (&numbers[..], disk, bug) else {
        eprintln!("simulate takes the first seed, how many, the steps of each, the disk, and perhaps a bug");
        return ExitCode::from(2);
    };
    let (steps, bug) = (u32::try_from(*steps).unwrap_or(u32::MAX), bug.flatten());
    let (mut sum, mut streams) = (Summary::default(), StreamSummary::default());
    for done in 0..*seeds {
        let seed = seed.saturating_add(done);
        match simulate(Run { seed, steps, bug, disk }) {
            Ok(summary) => sum.add(&summary),
            Err(failure) => return fail(&failure, *seeds),
        }
        // A planted bug is one of the other world's.
        if bug.is_none() {
            match simulate_streams(seed, steps) {
                Ok(summary) => streams.add(&summary),
                Err(failure) => return fail(&failure, *seeds),
            }
        }
        if (done + 1) % REPORT_EVERY == 0 {
            println!("{} of {seeds}", done + 1);
        }
    }
    println!("{sum}; {streams}");
    ExitCode::SUCCESS
}

/// Prints what did not hold: of a single seed everything that happened, of many the last of it.
fn fail(failure: &Failure, seeds: u64) -> ExitCode {
    if seeds == 1 {
        eprintln!("{failure:#}");
    } else {
        eprintln!("{failure}");
    }
    ExitCode::FAILURE
}
