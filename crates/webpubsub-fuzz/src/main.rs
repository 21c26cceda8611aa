//! The long search of `npm run fuzz`: one decoder, so many mutants.
//!
//! `webpubsub-fuzz` prints the names of the decoders, `webpubsub-fuzz NAME SEED FROM COUNT` gives
//! one of them its mutants and prints how many are done, then what came of them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

use std::process::ExitCode;

use webpubsub_fuzz::{decoders, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, numbers @ ..] = arguments.as_slice() else {
        for decoder in decoders() {
            println!("{}", decoder.name);
        }
        return ExitCode::SUCCESS;
    };
    let numbers: Option<Vec<u64>> = numbers.iter().map(|number| number.parse().ok()).collect();
    let decoder = decoders().into_iter().find(|decoder| decoder.name == name);
    let (Some(decoder), Some([seed, from, count])) = (decoder, numbers.as_deref()) else {
        eprintln!(
            "webpubsub-fuzz takes the name of a decoder, a seed, the first mutant's number and how many"
        );
        return ExitCode::from(2);
    };
    match run(decoder, *seed, *from..from.saturating_add(*count), |done| println!("{done} of {count}")) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
