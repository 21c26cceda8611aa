//! The simulation that every run of the tests does; `npm run simulate` does a longer one.

use webpubsub_testkit::simulation::{
    Bug, DiskKind, Happening, Run, StreamSummary, Summary, simulate, simulate_streams,
};

const SEEDS: u64 = 1_000;
const STEPS: u32 = 300;
/// Seeds of streams and states.
const SEEDS_OF_STREAMS: u64 = 300;
/// Seeds that run on the store, too.
const SEEDS_ON_SQLITE: u64 = 100;

const fn run(seed: u64, bug: Option<Bug>) -> Run {
    Run { seed, steps: STEPS, bug, disk: DiskKind::Memory }
}

#[test]
fn a_thousand_hubs_keep_their_promises_through_all_faults() {
    let mut sum = Summary::default();
    for seed in 0..SEEDS {
        match simulate(run(seed, None)) {
            Ok(summary) => sum.add(&summary),
            Err(failure) => panic!("{failure}"),
        }
    }
    for happening in Happening::ALL {
        assert!(sum.count(*happening) > 0, "too tame: {happening:?} in {sum}");
    }
}

#[test]
fn hubs_keep_their_promises_on_sqlite() {
    for seed in 0..SEEDS_ON_SQLITE {
        if let Err(failure) = simulate(Run { disk: DiskKind::Sqlite, ..run(seed, None) }) {
            panic!("{failure}");
        }
    }
}

#[test]
fn streams_and_states_keep_their_promises() {
    let mut sum = StreamSummary::default();
    for seed in 0..SEEDS_OF_STREAMS {
        match simulate_streams(seed, STEPS) {
            Ok(summary) => sum.add(&summary),
            Err(failure) => panic!("{failure}"),
        }
    }
    let StreamSummary { pieces, completed, failed, recoveries, losses, changes, resizes } = sum;
    assert!(
        [pieces, completed, failed, recoveries, losses, changes, resizes].iter().all(|count| *count > 0),
        "too tame: {sum}"
    );
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in Bug::ALL {
        let caught = (0..SEEDS).any(|seed| simulate(run(seed, Some(bug))).is_err());
        assert!(caught, "{bug:?}");
    }
}

#[test]
fn a_seed_is_one_run_and_another_is_another() {
    let same = [1, 1].map(|seed| simulate(run(seed, None)).map_err(|failure| failure.to_string()));
    assert_eq!(same[0], same[1]);
    assert_ne!(same[0], simulate(run(2, None)).map_err(|failure| failure.to_string()));
}

#[test]
fn a_failure_shows_what_happened_and_how_to_have_it_again() {
    let failure = (0..SEEDS).find_map(|seed| simulate(run(seed, Some(Bug::SendAfterClose))).err());
    let Some(failure) = failure else { panic!("it is caught") };
    let printed = failure.to_string();
    let lines: Vec<&str> = printed.lines().collect();
    let [.., last, problem, again] = lines[..] else { panic!("{printed}") };
    assert!(last.contains("Send {"), "{last}");
    let seed = problem.strip_prefix("seed ").and_then(|rest| rest.split(':').next());
    let seed: u64 = seed.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| panic!("{problem}"));
    assert_eq!(
        again,
        format!("  again: npm run simulate -- --seed {seed} --seeds 1 --steps {STEPS} --bug SendAfterClose")
    );
    assert!(simulate(run(seed, Some(Bug::SendAfterClose))).is_err_and(|again| again.to_string() == printed));
    assert!(simulate(run(seed, None)).is_ok());
}
