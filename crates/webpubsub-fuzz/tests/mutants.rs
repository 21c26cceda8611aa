//! The search that every run of the tests does; `npm run fuzz` does a longer one.

use webpubsub_fuzz::{decoders, run};

const SEED: u64 = 1;
const MUTANTS: u64 = 20_000;

#[test]
fn no_mutant_stops_a_decoder_or_holds_it_up() {
    let mut failures = Vec::new();
    for decoder in decoders() {
        let name = decoder.name;
        match run(decoder, SEED, 0..MUTANTS, |_| ()) {
            Ok(summary) => {
                let either = MUTANTS / 500..=MUTANTS - MUTANTS / 500;
                assert!(either.contains(&summary.accepted), "{name}: too tame or too wild: {summary}");
            }
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_decoder_has_a_name_of_its_own() {
    let mut names: Vec<_> = decoders().iter().map(|decoder| decoder.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
