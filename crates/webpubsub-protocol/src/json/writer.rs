//! Writing objects and lists of JSON.

use std::borrow::Borrow;

use super::count_plain;

/// From so many bytes on a text that needs no escapes becomes what is written, instead of a part of it.
const LARGE_TEXT_BYTES: usize = 64 * 1024;

/// Room that is made beside a text for its quotes and what may follow it.
const SPARE_BYTES: usize = 64;

/// The same beside a large text.
pub(crate) const LARGE_SPARE_BYTES: usize = 1024;

/// Room for what is written as a rule, so that it need not grow.
const USUAL_BYTES: usize = 256;

/// One JSON object or list that is being written, without blanks.
#[derive(Debug, Clone)]
pub struct Writer {
    text: String,
    close: char,
}

impl Writer {
    /// An object.
    #[must_use]
    pub fn object() -> Self {
        Self::open('{', '}')
    }

    /// A list.
    #[must_use]
    pub fn list() -> Self {
        Self::open('[', ']')
    }

    fn open(bracket: char, close: char) -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        text.push(bracket);
        Self { text, close }
    }

    /// A list of strings.
    #[must_use]
    pub fn texts<T: Borrow<str>>(texts: &[T]) -> String {
        let mut list = Self::list();
        for text in texts {
            list.separate();
            list.string(text.borrow());
        }
        list.finish()
    }

    /// A member that is a string.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name);
        self.string(text);
        self
    }

    /// The same with a text that is given away: what is written takes its place, so that a large text
    /// costs its size but once.
    #[must_use]
    pub(crate) fn with_text(mut self, name: &str, text: String) -> Self {
        if text.len() < LARGE_TEXT_BYTES {
            self.text(name, &text);
            return self;
        }
        self.with_json(name, quote(text))
    }

    /// A member whose value is JSON already, given away like that.
    #[must_use]
    pub(crate) fn with_json(mut self, name: &str, json: String) -> Self {
        self.name(name);
        let mut whole = json;
        whole.reserve_exact(self.text.len() + SPARE_BYTES);
        whole.insert_str(0, &self.text);
        Self { text: whole, ..self }
    }

    /// A member that is a string, or `null` for none.
    pub fn text_or_null(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self.json(name, "null"),
        }
    }

    /// A member that is a number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.json(name, &number.to_string())
    }

    /// A member whose value is JSON already.
    pub fn json(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.text.push_str(json);
        self
    }

    /// An element of a list, which is JSON already.
    pub fn element(&mut self, json: &str) -> &mut Self {
        self.separate();
        self.text.push_str(json);
        self
    }

    /// What was written, but for the character that closes it.
    #[must_use]
    pub fn head(self) -> String {
        self.text
    }

    /// What was written.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push(self.close);
        self.text
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.string(name);
        self.text.push(':');
    }

    fn separate(&mut self) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        // Once, with room for what closes it: a large text is not to be moved, or room made twice for it.
        self.text.reserve(text.len() + SPARE_BYTES);
        self.text.push('"');
        let mut rest = text;
        loop {
            let (plain, special) = rest.split_at_checked(count_plain(rest.as_bytes())).unwrap_or((rest, ""));
            self.text.push_str(plain);
            let mut special = special.chars();
            let Some(character) = special.next() else { break };
            escape(character, &mut self.text);
            rest = special.as_str();
        }
        self.text.push('"');
    }
}

/// Writes what stands in a string for a character that cannot stand for itself.
fn escape(character: char, text: &mut String) {
    text.push('\\');
    match character {
        '\u{8}' => text.push('b'),
        '\t' => text.push('t'),
        '\n' => text.push('n'),
        '\u{c}' => text.push('f'),
        '\r' => text.push('r'),
        ..' ' => {
            text.push_str(if character < '\u{10}' { "u000" } else { "u001" });
            text.extend(char::from_digit(u32::from(character) & 0xf, 16));
        }
        _ => text.push(character),
    }
}

/// Makes a text the string that says it, in its own place: escapes are put in from the end, each after
/// what comes before it has yet to move.
fn quote(text: String) -> String {
    let mut bytes = text.into_bytes();
    let (mut escaped, mut rest, mut more) = (String::new(), bytes.as_slice(), 0);
    while let Some((special, after)) = rest.get(count_plain(rest)..).and_then(<[u8]>::split_first) {
        escaped.clear();
        escape(char::from(*special), &mut escaped);
        more += escaped.len() - 1;
        rest = after;
    }
    let mut from = bytes.len();
    let mut to = from + more;
    // With room for what comes around it: what wasm moves, it keeps twice.
    bytes.reserve_exact(more + LARGE_SPARE_BYTES);
    bytes.resize(to, 0);
    while to > from {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
        let plain =
            bytes.get(..from).and_then(|text| text.iter().rposition(is_special)).map_or(0, |at| at + 1);
        bytes.copy_within(plain..from, plain + to - from);
        to -= from - plain;
        from = plain.saturating_sub(1);
        escaped.clear();
        escape(char::from(bytes.get(from).copied().unwrap_or_default()), &mut escaped);
        let end = to;
        to -= escaped.len();
        if let Some(place) = bytes.get_mut(to..end) {
            place.copy_from_slice(escaped.as_bytes());
        }
    }
    // What was UTF-8 is: only ASCII was put in, between characters.
    let mut quoted = String::from_utf8(bytes).unwrap_or_default();
    quoted.insert(0, '"');
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_given_away_is_written_like_any_other() {
        for text in
            [String::new(), "a\"b".into(), "é".repeat(40_000), "x".repeat(70_000) + "\n", "x".repeat(70_000)]
                .into_iter()
                .chain([
                    "a\"é\u{1}\u{1f}".repeat(10_000),
                    "\n".repeat(70_000),
                    format!("\t{}", "é\\".repeat(40_000)),
                ])
        {
            let mut borrowed = Writer::object();
            borrowed.text("a", "b").text("data", &text).number("n", 1);
            let mut given = Writer::object();
            given.text("a", "b");
            let mut given = given.with_text("data", text);
            given.number("n", 1);
            assert_eq!(given.finish(), borrowed.finish());
        }
    }
}
