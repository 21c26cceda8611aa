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

mod writer;

use std::borrow::Cow;

pub(crate) use writer::LARGE_SPARE_BYTES;
pub use writer::Writer;

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

    /// What `read` makes of the elements of a list; `None` for another value, and where it makes nothing of one.
    pub fn list<T>(self, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        let mut list = Vec::new();
        for element in &self.elements()? {
            list.push(read(*element)?);
        }
        Some(list)
    }

    /// What the strings of a list say; `None` for another value, and for a list with one.
    #[must_use]
    pub fn texts(self) -> Option<Vec<String>> {
        self.list(|element| element.text().map(Cow::into_owned))
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
