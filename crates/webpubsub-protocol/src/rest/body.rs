//! The body of a REST call: its content type, and the message in it.

use super::Refusal;
use crate::data::{JsonText, MessageData, Metadata, last_header_value};
use crate::json::Json;
use crate::limits::MAX_REST_MESSAGE_BYTES;

/// What stands before the key in the name of a header that carries metadata, in lower case.
///
/// Source: docs/spec/rest.md#message-bodies; docs/spec/cloudevents.md#requests.
pub const METADATA_PREFIX: &str = "x-webpubsub-metadata-";

/// What kind of message a body is.
///
/// Source: docs/spec/rest.md#message-bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentKind {
    /// `text/plain`
    Text(Charset),
    /// `application/json`
    Json(Charset),
    /// `application/octet-stream`, or no `Content-Type`
    Binary,
}

/// How a body of text or JSON is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, the default.
    Utf8,
    /// Another label, as written, for the host to decode with.
    Label(String),
}

/// Decodes text of a charset that is not UTF-8, by its label; `None` for one that is unknown.
pub type Decode<'a> = dyn Fn(&str, &[u8]) -> Option<String> + 'a;

impl Charset {
    /// The text in a body.
    ///
    /// # Errors
    /// `otherwise` for what is no UTF-8 and should be, [`Refusal::ContentType`] for a charset that is unknown.
    pub(super) fn text(
        &self,
        body: Vec<u8>,
        decode: &Decode<'_>,
        otherwise: Refusal,
    ) -> Result<String, Refusal> {
        match self {
            Self::Utf8 => String::from_utf8(body).map_err(|_| otherwise),
            Self::Label(label) => decode(label, &body).ok_or(Refusal::ContentType),
        }
    }
}

/// Reads a `Content-Type` header.
///
/// # Errors
/// [`Refusal::ContentType`] for every other type, and for malformed ones.
pub fn parse_content_type(header: Option<&str>) -> Result<ContentKind, Refusal> {
    let header = header.unwrap_or_default().trim();
    if header.is_empty() {
        return Ok(ContentKind::Binary);
    }
    let (media_type, parameters) = header.split_once(';').unwrap_or((header, ""));
    let charset = charset(parameters)?;
    let media_type = media_type.trim_end();
    if media_type.eq_ignore_ascii_case("text/plain") {
        Ok(ContentKind::Text(charset))
    } else if media_type.eq_ignore_ascii_case("application/json") {
        Ok(ContentKind::Json(charset))
    } else if media_type.eq_ignore_ascii_case("application/octet-stream") {
        Ok(ContentKind::Binary)
    } else {
        Err(Refusal::ContentType)
    }
}

/// The `charset` among the parameters of a media type, all of which have to be well-formed. A value other than the
/// charset's may be any text in quotes.
fn charset(parameters: &str) -> Result<Charset, Refusal> {
    let is_token = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&b))
    };
    let (mut rest, mut charset) = (parameters, None);
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        if rest.is_empty() {
            return Ok(charset.unwrap_or(Charset::Utf8));
        }
        let (name, text) = rest.split_once('=').ok_or(Refusal::ContentType)?;
        let in_quotes = text.strip_prefix('"');
        let (value, after) = match in_quotes {
            Some(text) => quoted(text).ok_or(Refusal::ContentType)?,
            None => text.split_once(';').map_or((text, ""), |(value, after)| (value.trim_end(), after)),
        };
        rest = after;
        let is_charset = name.eq_ignore_ascii_case("charset");
        let is_text = in_quotes.is_some() && !is_charset;
        if !is_token(name) || !(is_text || is_token(value)) {
            return Err(Refusal::ContentType);
        }
        if is_charset {
            let is_utf8 = ["utf-8", "utf8"].iter().any(|label| value.eq_ignore_ascii_case(label));
            let given = if is_utf8 { Charset::Utf8 } else { Charset::Label(value.to_owned()) };
            if charset.replace(given).is_some() {
                return Err(Refusal::ContentType);
            }
        }
    }
}

/// What stands before the quote that ends a text in quotes, and what stands behind it: the next parameter, or nothing. A
/// backslash takes the meaning from the character after it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    let (value, after) = (text.get(..end)?, text.get(end + 1..)?.trim_start());
    (after.is_empty() || after.starts_with(';')).then_some((value, after))
}

/// Checks the length of a body, as announced or as read, in bytes.
///
/// # Errors
/// [`Refusal::TooLong`] if it is more than `most`.
pub const fn check_length(bytes: usize, most: usize) -> Result<(), Refusal> {
    if bytes > most { Err(Refusal::TooLong) } else { Ok(()) }
}

/// The message in a body.
///
/// # Errors
/// [`Refusal::TooLong`], [`Refusal::ContentType`], [`Refusal::NotText`], [`Refusal::NotJson`] or
/// [`Refusal::Null`].
///
/// Source: docs/spec/rest.md#message-bodies.
pub fn message_data(kind: &ContentKind, body: Vec<u8>, decode: &Decode<'_>) -> Result<MessageData, Refusal> {
    check_length(body.len(), MAX_REST_MESSAGE_BYTES)?;
    match kind {
        ContentKind::Binary => Ok(MessageData::Binary(body)),
        ContentKind::Text(charset) => charset.text(body, decode, Refusal::NotText).map(MessageData::Text),
        ContentKind::Json(charset) => {
            let text = charset.text(body, decode, Refusal::NotJson)?;
            let refusal = || if Json::parse(&text).is_some() { Refusal::Null } else { Refusal::NotJson };
            JsonText::parse(&*text).map(MessageData::Json).map_err(|_| refusal())
        }
    }
}

/// The metadata in a request's headers (`X-WebPubSub-Metadata-{key}: value`), all of which may be
/// passed in. Of several values the last counts.
///
/// # Errors
/// [`Refusal::Metadata`] where they break its rules.
///
/// Source: docs/spec/rest.md#message-bodies.
pub fn message_metadata<'a>(
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Metadata, Refusal> {
    let entry = |(name, value): (&str, &str)| {
        let (prefix, key) = name.split_at_checked(METADATA_PREFIX.len())?;
        prefix
            .eq_ignore_ascii_case(METADATA_PREFIX)
            .then(|| (key.to_owned(), last_header_value(value).to_owned()))
    };
    Ok(Metadata::parse(headers.into_iter().filter_map(entry).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::MetadataError;

    const JSON: ContentKind = ContentKind::Json(Charset::Utf8);

    fn message_data(kind: &ContentKind, body: Vec<u8>) -> Result<MessageData, Refusal> {
        let latin1 = |text: &[u8]| text.iter().map(|byte| char::from(*byte)).collect();
        super::message_data(kind, body, &|label, text| (label == "latin1").then(|| latin1(text)))
    }

    #[test]
    fn a_body_is_at_most_one_mebibyte() {
        let of = |length| message_data(&ContentKind::Binary, vec![0; length]);
        assert!(of(MAX_REST_MESSAGE_BYTES).is_ok());
        assert_eq!(of(MAX_REST_MESSAGE_BYTES + 1), Err(Refusal::TooLong));
        assert_eq!(check_length(8, 8), Ok(()));
        assert_eq!(check_length(9, 8), Err(Refusal::TooLong));
    }

    #[test]
    fn empty_bodies_are_legal_for_text_and_binary() {
        let text = ContentKind::Text(Charset::Utf8);
        assert_eq!(message_data(&text, vec![]), Ok(MessageData::Text(String::new())));
        assert_eq!(message_data(&ContentKind::Binary, vec![]), Ok(MessageData::Binary(vec![])));
        assert_eq!(message_data(&JSON, vec![]), Err(Refusal::NotJson));
    }

    #[test]
    fn json_is_kept_as_published_and_null_is_refused() {
        let of = |body: &str| message_data(&JSON, body.into());
        for body in [r#""hello""#, "1.00", r#" {"a": [1]} "#, "0", "false"] {
            assert!(matches!(of(body), Ok(MessageData::Json(json)) if json.as_str().trim() == body.trim()));
        }
        assert_eq!(of("null"), Err(Refusal::Null));
        assert_eq!(of("\r\nnull "), Err(Refusal::Null));
        for body in ["{", "hello", "1 2", "nul", "\u{feff}1"] {
            assert_eq!(of(body), Err(Refusal::NotJson), "{body:?}");
        }
        assert_eq!(message_data(&JSON, vec![b'"', 0xff, b'"']), Err(Refusal::NotJson));
    }

    #[test]
    fn text_has_to_be_in_its_charset() {
        let utf8 = ContentKind::Text(Charset::Utf8);
        assert_eq!(message_data(&utf8, "é".into()), Ok(MessageData::Text("é".to_owned())));
        assert_eq!(message_data(&utf8, vec![0xff]), Err(Refusal::NotText));
        let label = |label: &str| Charset::Label(label.to_owned());
        let latin1 = ContentKind::Text(label("latin1"));
        assert_eq!(message_data(&latin1, vec![0xe9]), Ok(MessageData::Text("é".to_owned())));
        assert_eq!(message_data(&ContentKind::Text(label("x")), vec![0xe9]), Err(Refusal::ContentType));
        let latin1 = ContentKind::Json(label("latin1"));
        assert_eq!(
            message_data(&latin1, vec![b'"', 0xe9, b'"']),
            Ok(MessageData::Json(JsonText::parse("\"é\"").unwrap()))
        );
        assert_eq!(message_data(&latin1, vec![0xe9]), Err(Refusal::NotJson));
        assert_eq!(message_data(&ContentKind::Json(label("x")), b"1".to_vec()), Err(Refusal::ContentType));
    }

    #[test]
    fn of_several_values_of_a_header_the_last_is_metadata() {
        for (header, expected) in [
            ("first, final", "final"),
            ("a, b, c", "c"),
            ("a,b", "b"),
            ("a ,\tb c ", "b c"),
            ("a, ", ""),
            ("a,", ""),
            (r#"{"a":1,"b":2}"#, r#""b":2}"#),
            ("", ""),
        ] {
            let metadata = message_metadata([("X-WebPubSub-Metadata-Trace", header)]).unwrap();
            assert_eq!(metadata.iter().collect::<Vec<_>>(), [("Trace", expected)], "{header}");
        }
    }

    #[test]
    fn metadata_is_what_its_headers_say() {
        let of = |headers: &[(&'static str, &'static str)]| message_metadata(headers.iter().copied());
        let metadata = of(&[
            ("content-type", "text/plain"),
            ("x-webpubsub-metadata-trace", "1"),
            ("X-WebPubSub-Metadata-Other", ""),
            ("x-webpubsub", "no"),
            ("é-webpubsub-metadata-x", "no"),
        ]);
        assert_eq!(metadata.unwrap().iter().collect::<Vec<_>>(), [("trace", "1"), ("Other", "")]);
        assert_eq!(of(&[]), Ok(Metadata::default()));
        assert_eq!(of(&[("x-webpubsub-metadata-", "v")]), Err(MetadataError::Key.into()));
        assert_eq!(of(&[("x-webpubsub-metadata-k", "é")]), Err(MetadataError::Value.into()));
    }
}
