//! One run: mutants for each decoder, on several threads, with a limit of time for each input.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::decoders::{Answer, Decoder};

/// How long a decoder may take for one input.
pub const LIMIT: Duration = Duration::from_millis(50);

/// How often an input is timed that took longer than those before: what else the machine does is not
/// the decoder's fault.
const ATTEMPTS: u32 = 10;

/// How long one input may keep a decoder before that counts as for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many mutants go by between two words about progress.
const REPORT_EVERY: u64 = 10_000;

/// What came of so many mutants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many there were.
    pub mutants: u64,
    /// How many of them were good inputs all the same.
    pub accepted: u64,
    /// The longest that one of them took.
    pub slowest: Duration,
}

/// A mutant that a decoder does not stand.
///
/// Printed, it says which, why, and how to have it again.
#[derive(Debug)]
pub struct Failure {
    decoder: &'static str,
    seed: u64,
    number: u64,
    mutant: Vec<u8>,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Panicked(String),
    Slow(Duration),
    Hangs,
}

enum Report {
    Progress(u64),
    End(Result<Summary, (u64, Problem)>),
}

/// Gives a decoder the mutants with these numbers; `on_progress` is called now and then with how many are done.
///
/// # Errors
/// [`Failure`] for the first that it does not stand.
pub fn run(
    decoder: Decoder,
    seed: u64,
    numbers: Range<u64>,
    mut on_progress: impl FnMut(u64),
) -> Result<Summary, Failure> {
    let decoder = Arc::new(decoder);
    let current = Arc::new(AtomicU64::new(numbers.start));
    let (reports, inbox) = channel();
    let worker = {
        let (decoder, current, numbers) = (Arc::clone(&decoder), Arc::clone(&current), numbers.clone());
        move || {
            let mut summary = Summary::default();
            for number in numbers {
                current.store(number, Ordering::Relaxed);
                if let Err(problem) = attempt(&decoder, &decoder.mutant(seed, number), &mut summary) {
                    let _ = reports.send(Report::End(Err((number, problem))));
                    return;
                }
                if summary.mutants.is_multiple_of(REPORT_EVERY) {
                    let _ = reports.send(Report::Progress(summary.mutants));
                }
            }
            let _ = reports.send(Report::End(Ok(summary)));
        }
    };
    // The name is what Rust prints when a stack overflows.
    thread::Builder::new().name(decoder.name.to_owned()).spawn(worker).expect("a thread");

    let failure = |(number, problem)| Failure {
        decoder: decoder.name,
        seed,
        number,
        mutant: decoder.mutant(seed, number),
        problem,
    };
    let mut before = None;
    loop {
        match inbox.recv_timeout(PATIENCE) {
            Ok(Report::Progress(mutants)) => on_progress(mutants),
            Ok(Report::End(end)) => return end.map_err(failure),
            Err(RecvTimeoutError::Disconnected) => panic!("the thread of {} is gone", decoder.name),
            Err(RecvTimeoutError::Timeout) => {
                let number = current.load(Ordering::Relaxed);
                if before.replace(number) == Some(number) {
                    return Err(failure((number, Problem::Hangs)));
                }
            }
        }
    }
}

fn attempt(decoder: &Decoder, mutant: &[u8], summary: &mut Summary) -> Result<(), Problem> {
    let (answer, mut fastest) = timed(decoder, mutant)?;
    for _ in 1..ATTEMPTS {
        if fastest <= summary.slowest {
            break;
        }
        fastest = fastest.min(timed(decoder, mutant)?.1);
    }
    if fastest > LIMIT {
        return Err(Problem::Slow(fastest));
    }
    summary.mutants += 1;
    summary.accepted += u64::from(answer == Answer::Accepted);
    summary.slowest = summary.slowest.max(fastest);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn timed(decoder: &Decoder, mutant: &[u8]) -> Result<(Answer, Duration), Problem> {
    let start = Instant::now();
    let answer = catch_unwind(AssertUnwindSafe(|| decoder.answer(mutant)));
    let time = start.elapsed();
    answer.map(|answer| (answer, time)).map_err(|panic| Problem::Panicked(message(&*panic)))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mutants, accepted, slowest } = self;
        write!(f, "{mutants} mutants, {accepted} of them accepted, the slowest in {slowest:.1?}")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { decoder, seed, number, mutant, problem } = self;
        writeln!(f, "{decoder}: mutant {number} of seed {seed} {problem}")?;
        writeln!(f, "  text:  {:?}", String::from_utf8_lossy(mutant))?;
        write!(f, "  bytes: ")?;
        mutant.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, "\n  again: npm run fuzz -- --only {decoder} --seed {seed} --from {number} --count 1")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panics: {message}"),
            Self::Slow(time) => write!(f, "takes {time:.1?}, where {LIMIT:?} are allowed"),
            Self::Hangs => f.write_str("never comes to an end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder(check: impl Fn(&[u8]) -> Answer + Send + Sync + 'static) -> Decoder {
        Decoder::new("example", vec![b"input".to_vec()], &[b"word"], check)
    }

    #[test]
    fn every_mutant_is_counted_and_the_accepted_ones_too() {
        let decoder = decoder(|input| Answer::from(input.len() % 2 == 0));
        let summary = run(decoder, 1, 5..105, |_| ()).unwrap();
        assert_eq!(summary.mutants, 100);
        assert!((1..100).contains(&summary.accepted), "{summary}");
    }

    #[test]
    fn a_failure_says_which_mutant_why_and_how_to_have_it_again() {
        let decoder = || {
            decoder(|input| {
                assert!(!input.ends_with(b"word"), "it ends with a word");
                Answer::Accepted
            })
        };
        let failure = run(decoder(), 7, 0..10_000, |_| ()).unwrap_err();
        let number = failure.number;
        assert!(failure.mutant.ends_with(b"word"));
        let printed = failure.to_string();
        assert!(
            printed.starts_with(&format!("example: mutant {number} of seed 7 panics: it ends with a word\n"))
        );
        assert!(printed.contains("776f7264\n"), "{printed}");
        assert!(
            printed.ends_with(&format!(" --only example --seed 7 --from {number} --count 1")),
            "{printed}"
        );

        assert_eq!(run(decoder(), 7, 0..number, |_| ()).unwrap().mutants, number);
        let again = run(decoder(), 7, number..number + 1, |_| ()).unwrap_err();
        assert_eq!(again.mutant, failure.mutant);
    }

    #[test]
    fn what_takes_long_once_is_forgiven_and_what_always_does_is_not() {
        let slow = |times: u64| {
            let count = AtomicU64::new(0);
            decoder(move |_| {
                if count.fetch_add(1, Ordering::Relaxed) < times {
                    thread::sleep(LIMIT + Duration::from_millis(1));
                }
                Answer::Refused
            })
        };
        assert_eq!(run(slow(1), 1, 0..1, |_| ()).unwrap().mutants, 1);
        let failure = run(slow(u64::MAX), 1, 0..1, |_| ()).unwrap_err();
        assert!(matches!(failure.problem, Problem::Slow(time) if time > LIMIT));
    }
}
