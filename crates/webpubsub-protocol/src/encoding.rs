//! Percent-encoding, as paths and queries use it, and hexadecimal digits.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

/// The names and values of a raw query, still encoded, in order.
pub(crate) fn parameters(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = query;
    let parts = std::iter::from_fn(move || {
        let (part, after) = split_at_byte(rest?, b'&');
        rest = after;
        Some(part)
    });
    parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = split_at_byte(part, b'=');
        (name, value.unwrap_or_default())
    })
}

/// What stands before the first of an ASCII byte, and what stands after it. A search for a `char` takes longer to begin
/// than most parts of a query are to go through.
fn split_at_byte(text: &str, byte: u8) -> (&str, Option<&str>) {
    let at = text.bytes().position(|found| found == byte);
    match at.and_then(|at| text.split_at_checked(at)) {
        Some((before, after)) => (before, after.get(1..)),
        None => (text, None),
    }
}

/// Decodes one segment of a path, once. `None` where a `%` is not followed by two hex digits, or
/// the bytes are not UTF-8.
pub fn decode_segment(segment: &str) -> Option<String> {
    if !segment.bytes().any(|byte| byte == b'%') {
        return Some(segment.to_owned());
    }
    let escapes = |text: &str| {
        text.split('%').skip(1).all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
    };
    if !escapes(segment) {
        return None;
    }
    percent_decode_str(segment).decode_utf8().ok().map(Into::into)
}

/// The same for a name or value of a query, in which `+` is a space.
pub(crate) fn decode_parameter(text: &str) -> Option<String> {
    if text.bytes().any(|byte| byte == b'+') {
        return decode_segment(&text.replace('+', " "));
    }
    decode_segment(text)
}

/// As [`decode_parameter`]; what cannot be decoded stays as it is or becomes U+FFFD.
pub(crate) fn decode_parameter_lossily(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into()
}

/// Encodes everything but what a URL's parts may hold as it is: letters, digits and `-._~`.
pub(crate) fn escape(text: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, ESCAPED)
}

/// Writes a byte as two hexadecimal digits in lower case.
pub fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 0xf] {
        text.extend(char::from_digit(digit.into(), 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_once_and_strictly() {
        let cases = [
            ("a%20b", Some("a b")),
            ("a+b", Some("a+b")),
            ("tenant%2Falice", Some("tenant/alice")),
            ("tenant%252Falice", Some("tenant%2Falice")),
            ("%e2%82%AC", Some("€")),
            ("", Some("")),
            ("%", None),
            ("%4", None),
            ("%4g", None),
            ("%%41", None),
            ("%C3", None),
            ("%C3%28", None),
            ("%é1", None),
        ];
        for (segment, decoded) in cases {
            assert_eq!(decode_segment(segment).as_deref(), decoded, "{segment}");
        }
    }

    #[test]
    fn parameters_keep_their_order_and_may_lack_a_value() {
        let found: Vec<_> = parameters(Some("a=1&&b&a=2=3&=x")).collect();
        assert_eq!(found, [("a", "1"), ("b", ""), ("a", "2=3"), ("", "x")]);
        assert_eq!(parameters(None).count() + parameters(Some("")).count(), 0);
    }

    #[test]
    fn lossy_decoding_takes_anything() {
        assert_eq!(decode_parameter_lossily("a+b%20c%2B%zz%FF"), "a b c+%zz\u{fffd}");
    }
}
