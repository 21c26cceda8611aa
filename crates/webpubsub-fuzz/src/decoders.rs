//! Every decoder of what others send, with what it promises about any input.

mod client;
mod event_handler;
mod mqtt;
mod rest;
mod token;

use crate::mutate::mutant;

/// Something that reads what others send, with inputs that are known and a promise about all others.
pub struct Decoder {
    /// What it reads.
    pub name: &'static str,
    inputs: Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
    check: Box<Check>,
}

/// Lets a decoder read an input, and panics where it breaks its promise.
type Check = dyn Fn(&[u8]) -> Answer + Send + Sync;

/// What a decoder makes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is good.
    Accepted,
    /// It is not.
    Refused,
}

/// Every decoder there is.
///
/// # Panics
/// Where the golden vectors cannot be read.
#[must_use]
pub fn decoders() -> Vec<Decoder> {
    let decoders = [
        client::decoders(),
        token::decoders(),
        rest::decoders(),
        event_handler::decoders(),
        mqtt::decoders(),
    ];
    decoders.into_iter().flatten().collect()
}

impl Decoder {
    pub(crate) fn new(
        name: &'static str,
        inputs: Vec<Vec<u8>>,
        words: &'static [&'static [u8]],
        check: impl Fn(&[u8]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        assert!(!inputs.is_empty(), "{name}: nothing to make mutants of");
        Self { name, inputs, words, check: Box::new(check) }
    }

    /// The same for one that reads text; as on the platform, bytes that are no UTF-8 reach it as U+FFFD.
    pub(crate) fn of_text(
        name: &'static str,
        inputs: Vec<Vec<u8>>,
        words: &'static [&'static [u8]],
        check: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, inputs, words, move |input| check(&String::from_utf8_lossy(input)))
    }

    pub(crate) fn mutant(&self, seed: u64, number: u64) -> Vec<u8> {
        mutant(&self.inputs, self.words, seed, number)
    }

    /// Lets it read one input.
    pub(crate) fn answer(&self, input: &[u8]) -> Answer {
        (self.check)(input)
    }
}

impl From<bool> for Answer {
    fn from(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Refused }
    }
}

/// What comes before the first line feed, and what comes after it.
fn lines(input: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}
