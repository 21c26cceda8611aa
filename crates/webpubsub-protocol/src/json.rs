//! JSON: the text of values, looked into only where a name, a string or a number is wanted.
//!
//! What travels is objects of a few strings around a payload that is not looked into, so the text of
//! a value is all that is kept of it. `serde` and `serde_json`, which tests hold this against, would
//! add 23 KB to the 158 KB of the gzipped worker.
//!
//! ```
//! use webpubsub_protocol::json::{Members, Writer};
//!
//! let mut object = Writer::object();
//! object.text("type", "ack").number("ackId", 1);
//! assert_eq!(object.finish(), r#"{"type":"ack","ackId":1}"#);
//!
//! let members = Members::parse(r#"{ "data": [1.00, "a"], "type": "ack" }"#).unwrap_or_default();
//! assert_eq!(members.get("data").map(|data| data.as_str()), Some(r#"[1.00, "a"]"#));
//! assert_eq!(members.get("type").and_then(|kind| kind.text()).as_deref(), Some("ack"));
//! ```

use std::borrow::{Borrow, Cow};

/// The text of one JSON value, without the blanks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl<'a> Json<'a> {
    /// Reads a text that is one value, however deep; `None` for any other.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.is_at_end().then_some(value)
    }

    /// The text, letter for letter.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// What a string says; `None` for another value, and for a string with half a surrogate pair.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        unescape(self.0.strip_prefix('"')?.strip_suffix('"')?)
    }

    /// `true` or `false`; `None` for another value.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }

    /// A whole number from 0 to 2^64-1, written without point or exponent; `None` for another value.
    #[must_use]
    pub fn unsigned(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The elements of a list; `None` for another value.
    #[must_use]
    pub fn elements(self) -> Option<Vec<Self>> {
        let mut reader = Reader { text: self.0, at: 0 };
        reader.sequence(b'[', b']', Reader::value)
    }

    /// What the strings of a list say; `None` for another value, and for a list with one.
    #[must_use]
    pub fn texts(self) -> Option<Vec<String>> {
        self.elements()?.into_iter().map(|element| element.text().map(Cow::into_owned)).collect()
    }
}

/// The members of one JSON object in the order written, repeated names included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Members<'a> {
    /// Reads a text that is one object; `None` for any other.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let members = reader.sequence(b'{', b'}', |reader| Some((reader.name()?, reader.value()?)))?;
        reader.is_at_end().then_some(Self(members))
    }

    /// The value of a name: the last, if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| *value)
    }
}

/// Reads a text from front to back.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    // Inlined, these two halve the time that reading takes.
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// The next byte that is no blank.
    fn next_token(&mut self) -> Option<u8> {
        loop {
            let byte = self.next()?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
        }
    }

    fn expect(&mut self, token: u8) -> Option<()> {
        (self.next_token()? == token).then_some(())
    }

    fn is_at_end(&mut self) -> bool {
        self.next_token().is_none()
    }

    /// Items with commas between and these two around.
    fn sequence<T>(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.expect(open)?;
        let mut items = Vec::new();
        if self.next_token()? == close {
            return Some(items);
        }
        // It was the first of an item.
        self.at -= 1;
        loop {
            items.push(item(self)?);
            match self.next_token()? {
                b',' => {}
                end if end == close => return Some(items),
                _ => return None,
            }
        }
    }

    /// One value and what it is made of, without recursion.
    fn value(&mut self) -> Option<Json<'a>> {
        let mut token = self.next_token()?;
        let start = self.at - 1;
        // What closes the lists and objects that are open, the innermost last.
        let mut open = Vec::new();
        loop {
            let mut is_empty = false;
            match token {
                b'[' | b'{' => {
                    open.push(if token == b'[' { b']' } else { b'}' });
                    is_empty = true;
                }
                b'"' => drop(self.quoted()?),
                b't' => self.skip_word("rue")?,
                b'f' => self.skip_word("alse")?,
                b'n' => self.skip_word("ull")?,
                _ => self.skip_number(token)?,
            }
            let close = loop {
                let Some(close) = open.last().copied() else {
                    return self.text.get(start..self.at).map(Json);
                };
                token = self.next_token()?;
                if token != close {
                    break close;
                }
                open.pop();
                is_empty = false;
            };
            if !is_empty {
                if token != b',' {
                    return None;
                }
                token = self.next_token()?;
            }
            if close == b'}' {
                if token != b'"' {
                    return None;
                }
                self.quoted()?;
                self.expect(b':')?;
                token = self.next_token()?;
            }
        }
    }

    /// The name of a member, with the colon after it.
    fn name(&mut self) -> Option<Cow<'a, str>> {
        self.expect(b'"')?;
        let name = self.quoted()?;
        self.expect(b':')?;
        unescape(name)
    }

    /// The rest of a string of which the first quotation mark has been read, without the last one.
    fn quoted(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            self.at += count_plain(self.text.as_bytes().get(self.at..)?);
            match self.next()? {
                b'"' => return self.text.get(start..self.at - 1),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        for _ in 0..4 {
                            self.next().filter(u8::is_ascii_hexdigit)?;
                        }
                    }
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// The rest of a number that begins with this.
    fn skip_number(&mut self, first: u8) -> Option<()> {
        let first = if first == b'-' { self.next()? } else { first };
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.next().filter(u8::is_ascii_digit)?;
            self.skip_digits();
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.next().filter(u8::is_ascii_digit)?;
            self.skip_digits();
        }
        Some(())
    }

    fn skip_digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn skip_word(&mut self, rest: &str) -> Option<()> {
        rest.bytes().all(|byte| self.next() == Some(byte)).then_some(())
    }
}

/// How many bytes stand for themselves in a string: those before the first quotation mark, backslash
/// or control character.
fn count_plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    // Whether one of eight bytes is below a limit.
    let is_below = |eight: u64, limit: u64| eight.wrapping_sub(EACH * limit) & !eight & (EACH << 7) != 0;
    let is_one = |eight: u64, byte: u8| is_below(eight ^ (EACH * u64::from(byte)), 1);
    let (eights, _) = bytes.as_chunks();
    let plain = eights.iter().take_while(|eight| {
        let eight = u64::from_le_bytes(**eight);
        !is_below(eight, 0x20) && !is_one(eight, b'"') && !is_one(eight, b'\\')
    });
    let plain = 8 * plain.count();
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')).count()
}

/// What a string says whose text has been read, its quotation marks left out.
fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut escaped = escaped.chars();
        plain.push(match escaped.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => match code_unit(&mut escaped)? {
                high @ 0xd800..0xdc00 => {
                    let low = escaped.as_str().strip_prefix("\\u")?;
                    escaped = low.chars();
                    let low = code_unit(&mut escaped)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?
                }
                unit => char::from_u32(unit)?,
            },
            itself => itself,
        });
        rest = escaped.as_str();
    }
    plain.push_str(rest);
    Some(Cow::Owned(plain))
}

/// Four hexadecimal digits.
fn code_unit(digits: &mut impl Iterator<Item = char>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | digits.next()?.to_digit(16)?))
}

/// From so many bytes on a text that needs no escapes becomes what is written, instead of a part of it.
const LARGE_TEXT_BYTES: usize = 64 * 1024;

/// Room that is made beside a text for its quotes and what may follow it.
const SPARE_BYTES: usize = 64;

/// The same beside a large text.
pub(crate) const LARGE_SPARE_BYTES: usize = 1024;

/// Room for what is written as a rule, so that it need not grow.
const USUAL_BYTES: usize = 128;

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
    pub fn with_text(mut self, name: &str, text: String) -> Self {
        if text.len() < LARGE_TEXT_BYTES {
            self.text(name, &text);
            return self;
        }
        self.with_json(name, quote(text))
    }

    /// A member whose value is JSON already, given away like that.
    #[must_use]
    pub fn with_json(mut self, name: &str, json: String) -> Self {
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
