//! The long simulation of `npm run simulate`: so many seeds, so many steps each.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

use webpubsub_testkit::simulation::{Bug, Run, Summary, simulate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|number| number.parse().ok()).collect();
    let bug = arguments.last().and_then(|name| Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == *name));
    let [seed, seeds, steps] = numbers[..] else {
        eprintln!("simulate takes the first seed, how many, the steps of each, and perhaps a bug");
        return ExitCode::from(2);
    };
    let mut sum = Summary::default();
    for seed in seed..seed + seeds {
        match simulate(Run { seed, steps: steps as u32, bug }) {
            Ok(summary) => sum.add(&summary),
            Err(failure) => {
                if seeds == 1 {
                    failure.trace().iter().for_each(|line| println!("{line}"));
                }
                eprintln!("{failure}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{sum:?}");
    ExitCode::SUCCESS
}
