//! A handler's answer: how much is read of it, and what it says.

use std::mem;

use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer, PROPERTY_PREFIX};
use webpubsub_protocol::rest::{Charset, ContentKind, METADATA_PREFIX, parse_content_type};

use super::KnownHandlers;

/// The most bytes of all answers that a host reads at once.
const MAX_BYTES_AT_ONCE: usize = 64 << 20;
/// The most bytes that are read of an answer which is no success: some words for a client.
const MAX_REFUSAL_BYTES: usize = 64 << 10;
/// What is reserved beside a body, for the frame that it may become.
const SPARE_BYTES: usize = 1024;

/// The body of an answer, which is read piece by piece.
#[derive(Debug)]
pub struct AnswerBody {
    bytes: Vec<u8>,
    /// The most bytes of a successful answer's.
    most: usize,
    /// How many bytes came, also those that were not kept.
    read: usize,
    is_too_large: bool,
}

impl AnswerBody {
    /// A body of which nothing has come, and at most `max_bytes` are read.
    #[must_use]
    pub const fn new(max_bytes: usize) -> Self {
        Self { bytes: Vec::new(), most: max_bytes, read: 0, is_too_large: false }
    }

    /// Makes room for the next piece, which has `length` bytes, of an answer that announces as many in all
    /// (0 for none). Returns where to write it; `None` if nothing more is to be read.
    pub fn room_for(
        &mut self,
        known: &mut KnownHandlers,
        length: usize,
        announced: usize,
        status: u16,
    ) -> Option<&mut [u8]> {
        let is_success = CallFailure::of_status(status).is_none();
        let most = if is_success { self.most } else { self.most.min(MAX_REFUSAL_BYTES) };
        self.read = self.read.saturating_add(length);
        known.reading = known.reading.saturating_add(length);
        if self.read > most || known.reading > MAX_BYTES_AT_ONCE {
            self.is_too_large = true;
            return None;
        }
        let before = self.bytes.len();
        if self.read > self.bytes.capacity() {
            // In large steps where the length is not known: what a body outgrows, wasm keeps.
            let rest = announced.min(most).saturating_sub(before).max(length);
            self.bytes.reserve_exact(rest.max(3 * before) + SPARE_BYTES);
        }
        self.bytes.resize(self.read, 0);
        self.bytes.get_mut(before..)
    }

    /// Ends the reading. Returns what was kept, and whether there was more.
    pub(super) fn end(&mut self, known: &mut KnownHandlers) -> (Vec<u8>, bool) {
        known.reading = known.reading.saturating_sub(mem::take(&mut self.read));
        (mem::take(&mut self.bytes), self.is_too_large)
    }
}

/// Reads an answer with this body, which may have been cut: its status and its headers' names and values, a line each, or one word that says why
/// there is none. Returns the status, too.
pub(super) fn read(
    head: &str,
    (body, is_cut): (Vec<u8>, bool),
    decode: &dyn Fn(&str, &[u8]) -> Option<String>,
) -> (Option<u16>, Result<HandlerAnswer, CallFailure>) {
    let mut lines = head.split('\n');
    let first = lines.next().unwrap_or_default();
    let status = first.parse::<u64>().ok().and_then(|status| u16::try_from(status).ok());
    let Some(status) = status else { return (None, Err(failure(first))) };
    let mut answer = HandlerAnswer { status, ..HandlerAnswer::default() };
    if is_cut && answer.is_success() {
        return (Some(status), Err(CallFailure::TooLarge));
    }
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        match name {
            "content-type" => answer.content_type = Some(value.to_owned()),
            "webhook-allowed-origin" => answer.allowed_origin = Some(value.to_owned()),
            "ce-connectionstate" => answer.state = Some(last_state(value).to_owned()),
            "set-cookie" => answer.cookies.push(value.to_owned()),
            _ => {
                let pair = |name: &str| (name.to_owned(), value.to_owned());
                if let Some(name) = name.strip_prefix(METADATA_PREFIX) {
                    answer.metadata.push(pair(name));
                } else if let Some(name) = name.strip_prefix(PROPERTY_PREFIX) {
                    answer.mqtt.push(pair(name));
                }
            }
        }
    }
    answer.body = body;
    if let Ok(ContentKind::Text(Charset::Label(label))) = parse_content_type(answer.content_type.as_deref()) {
        match decode(&label, &answer.body) {
            Some(text) => answer.body = text.into_bytes(),
            // Which is a type that no message has.
            None => answer.content_type = Some(label),
        }
    }
    (Some(status), Ok(answer))
}

/// Reads the word for why there is no answer.
pub(super) fn failure(word: &str) -> CallFailure {
    match word {
        "TimedOut" => CallFailure::TimedOut,
        "GivenUp" => CallFailure::GivenUp,
        "Unsendable" => CallFailure::Unsendable,
        _ => CallFailure::Network,
    }
}

/// The last value of a header that may have come several times, which are joined with commas. There are no
/// commas in base64; a value with others is one.
fn last_state(joined: &str) -> &str {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"_+/=-".contains(&byte);
    let mut values = joined.split(',').enumerate();
    let are_base64 = values.all(|(at, value)| {
        let value = if at == 0 { value } else { value.strip_prefix(' ').unwrap_or(value) };
        value.bytes().all(is_base64)
    });
    let last = joined.rsplit_once(',').filter(|_| are_base64).map(|(_, last)| last);
    last.map_or(joined, |last| last.strip_prefix(' ').unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::limits::{MAX_CONNECT_ANSWER_BYTES, MAX_HANDLER_ANSWER_BYTES};

    use super::*;

    /// Reads pieces of this length until `body` wants no more, or all have come. Returns how many it took.
    fn fill(
        body: &mut AnswerBody,
        known: &mut KnownHandlers,
        pieces: usize,
        length: usize,
        status: u16,
    ) -> usize {
        let mut take = || body.room_for(known, length, 0, status).map(|room| room.fill(b'x')).is_some();
        (0..pieces).take_while(|_| take()).count()
    }

    fn read_all(head: &str, body: &[u8]) -> Result<HandlerAnswer, CallFailure> {
        let latin1 = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect();
        read(head, (body.to_vec(), false), &|label, bytes| (label == "latin1").then(|| latin1(bytes))).1
    }

    #[test]
    fn a_success_above_its_limit_is_too_large() {
        let (mut body, mut known) = (AnswerBody::new(MAX_CONNECT_ANSWER_BYTES), KnownHandlers::default());
        let pieces = MAX_CONNECT_ANSWER_BYTES / 65_536;
        assert_eq!(fill(&mut body, &mut known, pieces + 5, 65_536, 200), pieces);
        let (status, answer) = read("200", body.end(&mut known), &|_, _| None);
        assert_eq!((status, answer), (Some(200), Err(CallFailure::TooLarge)));
    }

    #[test]
    fn of_a_refusal_64_kib_are_read() {
        let (mut body, mut known) = (AnswerBody::new(MAX_HANDLER_ANSWER_BYTES), KnownHandlers::default());
        assert_eq!(fill(&mut body, &mut known, 100, 1024, 403), 64);
        let (status, answer) = read("403", body.end(&mut known), &|_, _| None);
        assert_eq!((status, answer.unwrap().body.len()), (Some(403), 65_536));
    }

    #[test]
    fn all_answers_together_are_at_most_64_mib() {
        let mut known = KnownHandlers::default();
        let new = || AnswerBody::new(MAX_HANDLER_ANSWER_BYTES);
        let mut bodies: Vec<_> = (0..4).map(|_| new()).collect();
        bodies.iter_mut().for_each(|body| assert_eq!(fill(body, &mut known, 16, 1 << 20, 200), 16));
        let mut late = new();
        assert_eq!(fill(&mut late, &mut known, 1, 1, 200), 0);
        assert!(late.end(&mut known).1);
        bodies.pop().unwrap().end(&mut known);
        bodies.push(new());
        assert_eq!(fill(&mut bodies[3], &mut known, 1, 1, 200), 1);
        bodies.iter_mut().for_each(|body| drop(body.end(&mut known)));
        assert_eq!(known.reading, 0);
    }

    #[test]
    fn an_announced_length_reserves_no_more_than_the_limit() {
        let (mut body, mut known) = (AnswerBody::new(4096), KnownHandlers::default());
        assert!(body.room_for(&mut known, 10, usize::MAX, 200).is_some());
        assert!(body.bytes.capacity() <= 4096 + 2 * SPARE_BYTES);
    }

    #[test]
    fn headers_are_found_by_name_and_cookies_and_metadata_all() {
        let head = "200\ncontent-type\ntext/plain\nset-cookie\na=1\nset-cookie\nb=2\nx-other\ny\n\
                    x-webpubsub-metadata-k\nv\nmqtt-p\nw\nwebhook-allowed-origin\n*\nce-connectionstate\nYQ==, Yg==";
        let answer = read_all(head, b"").unwrap();
        assert_eq!(answer.content_type.as_deref(), Some("text/plain"));
        assert_eq!(
            (answer.cookies, answer.allowed_origin.as_deref()),
            (vec!["a=1".into(), "b=2".into()], Some("*"))
        );
        assert_eq!(answer.metadata, [("k".to_owned(), "v".to_owned())]);
        assert_eq!(answer.mqtt, [("p".to_owned(), "w".to_owned())]);
        assert_eq!(answer.state.as_deref(), Some("Yg=="));
    }

    #[test]
    fn the_last_of_several_states_counts_unless_it_is_one() {
        for (joined, last) in [
            ("", ""),
            ("a", "a"),
            ("a,b", "b"),
            ("a, b,", ""),
            ("{\"a\": 1,2}", "{\"a\": 1,2}"),
            ("a,  b", "a,  b"),
        ] {
            assert_eq!(last_state(joined), last, "{joined}");
        }
    }

    #[test]
    fn text_of_another_charset_is_decoded() {
        let decoded = |charset: &str| {
            read_all(&format!("200\ncontent-type\ntext/plain; charset={charset}"), &[0xE9]).unwrap()
        };
        assert_eq!(decoded("latin1").body, "é".as_bytes());
        assert_eq!(decoded("nothing").content_type.as_deref(), Some("nothing"));
    }

    #[test]
    fn a_word_says_why_there_is_no_answer() {
        let words = ["TimedOut", "GivenUp", "Unsendable", "Network", ""];
        let failures = words.map(|word| read_all(word, b"").unwrap_err());
        assert_eq!(
            failures.map(CallFailure::name),
            ["TimedOut", "GivenUp", "Unsendable", "Network", "Network"]
        );
    }
}
