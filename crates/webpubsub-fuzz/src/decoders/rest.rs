//! Decoders of REST calls: paths, queries, filters and bodies.

use serde_json::Value;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata};
use webpubsub_protocol::filter::{Filter, FilterSubject};
use webpubsub_protocol::name::GroupName;
use webpubsub_protocol::rest::{
    Charset, ContentKind, Operation, Refusal, groups_body, message_data, message_metadata,
    parse_content_type, refuse,
};
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::url::RequestUrl;

use super::{Answer, Decoder, lines};
use crate::corpus::{text, texts, vectors};

const FILTER: &[&[u8]] = &[
    b"(",
    b")",
    b",",
    b"'",
    b"''",
    b" ",
    b"not ",
    b" eq ",
    b" and ",
    b" or ",
    b" in ",
    b"null",
    b"userId",
    b"groups",
    b"tolower(",
    b"concat(userId,",
    b"substring(",
    b"-1",
    b"99999999999",
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"\0",
];

const URL: &[&[u8]] = &[
    b"/",
    b"?",
    b"&",
    b"=",
    b"%",
    b"%2F",
    b"%C3",
    b"+",
    b"#",
    b":send",
    b":closeConnections",
    b":generateToken",
    b"connections/c",
    b"groups/g",
    b"users/u",
    b"&excluded=c",
    b"&filter=userId%20eq%20null",
    b"&messageTtlSeconds=301",
    b"&reason=",
    b"&top=0",
    b"&maxpagesize=201",
    b"&continuationToken=",
    b"&targetName=g",
    b"&api-version=2024-12-01",
    b"&minutesToExpire=0",
    b"&role=r",
    b"99999999999999999999",
    b"\xc3\xa9",
    b"\0",
];

const MESSAGE: &[&[u8]] = &[
    b";",
    b"=",
    b"\"",
    b"\n",
    b" ",
    b"charset=",
    b"utf-8",
    b"application/json",
    b"null",
    b"{",
    b"]",
    b"\\ud800",
    b"1e999",
    b"\xef\xbb\xbf",
    b"\xff",
];

const GROUPS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"null",
    b"\"groups\":[],",
    b"\"Groups\":[\"a\"],",
    b"\"filter\":\"\",",
    b"\"filter\":\"userId eq null\",",
    b"\\ud800",
    b"\n",
    b"\xff",
];

const METADATA: &[&[u8]] =
    &[b":", b" ", b"\n", b"x-webpubsub-metadata-", b"X-WebPubSub-Metadata-A: b\n", b"\xc3\xa9", b"(", b"\0"];

pub(super) fn decoders() -> Vec<Decoder> {
    let filters = texts(&["filters/matches", "filters/refused"], "filter");
    let requests = pairs("rest/operations", "method", "url", ' ');
    let groups = pairs("rest/group-bodies", "contentType", "body", '\n');
    let long = "aA😀 '".repeat(200);
    let memberships = SortedSet::from_iter([GroupName::parse("g1").expect("a group")]);
    vec![
        Decoder::of_text("filter", filters, FILTER, move |text| filter(text, &long, &memberships)),
        Decoder::of_text("rest-url", requests, URL, request),
        Decoder::new("rest-message", messages(), MESSAGE, message),
        Decoder::new("rest-groups", groups, GROUPS, groups_of_body),
        Decoder::of_text("rest-metadata", headers(), METADATA, metadata),
    ]
}

/// A filter can be asked about a connection; anything else is refused in the service's words.
fn filter(text: &str, user: &str, groups: &SortedSet<GroupName>) -> Answer {
    match Filter::parse(text) {
        Ok(filter) => {
            for user_id in [None, Some(user)] {
                let _ =
                    filter.matches(&FilterSubject { user_id, connection_id: "c1", groups, protocol: None });
            }
            Answer::Accepted
        }
        Err(error) => {
            assert!(error.to_string().ends_with(" (Parameter 'filter')"), "{error}");
            Answer::Refused
        }
    }
}

/// A request line is an operation, or is refused as the caller's mistake.
fn request(line: &str) -> Answer {
    let (method, path_and_query) = line.split_once(' ').unwrap_or((line, ""));
    let url = format!("https://example.com{path_and_query}");
    let url = RequestUrl::split(&url).expect("an absolute URL");
    match Operation::parse(method, url.path, url.query) {
        Ok(_) => Answer::Accepted,
        Err(refusal) => {
            expect_callers_fault(&refusal, method);
            Answer::Refused
        }
    }
}

/// A message is its body, letter for letter.
fn message(input: &[u8]) -> Answer {
    let (header, body) = lines(input);
    let read = || {
        let kind = parse_content_type(Some(&String::from_utf8_lossy(header)))?;
        Ok((message_data(&kind, body.to_vec(), &|_, _| None)?, kind))
    };
    match read() {
        Err(refusal) => {
            expect_callers_fault(&refusal, "POST");
            Answer::Refused
        }
        Ok((MessageData::Json(json), kind)) => {
            let utf8 = ContentKind::Json(Charset::Utf8);
            assert_eq!((kind, JsonText::parse(json.as_given())), (utf8, Ok(json.clone())));
            assert_eq!(json.as_str().as_bytes(), body.trim_ascii());
            Answer::Accepted
        }
        Ok((MessageData::Text(text), _)) => {
            assert_eq!(text.as_bytes(), body);
            Answer::Accepted
        }
        Ok((MessageData::Binary(bytes), _)) => {
            assert_eq!(bytes, body);
            Answer::Accepted
        }
        Ok((MessageData::Protobuf(_), _)) => panic!("no content type is protobuf's"),
    }
}

/// The body of a bulk operation names groups, or is refused as the caller's mistake.
fn groups_of_body(input: &[u8]) -> Answer {
    let (header, body) = lines(input);
    match groups_body(Some(&String::from_utf8_lossy(header)), body.to_vec(), &|_, _| None) {
        Ok(request) => {
            assert!(!request.groups.is_empty());
            Answer::Accepted
        }
        Err(refusal) => {
            expect_callers_fault(&refusal, "POST");
            Answer::Refused
        }
    }
}

/// Metadata is within its limits, and nothing but the last values of the headers that carry it.
fn metadata(headers: &str) -> Answer {
    let headers = || headers.lines().map(|line| line.split_once(": ").unwrap_or((line, "")));
    match message_metadata(headers()) {
        Ok(metadata) => {
            let entries: Vec<_> =
                metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            for (key, value) in &entries {
                let last = |text: &str| text.rsplit(',').next().is_some_and(|last| last.trim() == value);
                assert!(headers().any(|(name, text)| name.ends_with(key.as_str()) && last(text)));
            }
            assert_eq!(Metadata::parse(entries).as_ref(), Ok(&metadata));
            Answer::from(!metadata.is_empty())
        }
        Err(refusal) => {
            expect_callers_fault(&refusal, "POST");
            Answer::Refused
        }
    }
}

/// What is refused is answered with 4xx, and with an error body in JSON where there is one.
fn expect_callers_fault(refusal: &Refusal, method: &str) {
    let response = refuse(refusal, method);
    assert!((400..500).contains(&response.status), "{refusal}");
    assert!(method != "HEAD" || response.body.is_empty(), "{refusal}");
    if !response.body.is_empty() {
        let body: Value = serde_json::from_str(&response.body).expect("an error body is JSON");
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{refusal}");
    }
}

/// Two texts of every vector of a file, joined.
fn pairs(file: &str, first: &str, second: &str, between: char) -> Vec<Vec<u8>> {
    let join = |vector: &Value| format!("{}{between}{}", text(&vector[first]), text(&vector[second]));
    vectors(file).iter().map(|vector| join(vector).into_bytes()).collect()
}

/// Every content type with bodies that are good for some of them.
fn messages() -> Vec<Vec<u8>> {
    let bodies = ["", "hi", "null", "\"é\"", "{\"a\":[1,2.50,\"b\"]}", "[[],{},true]"];
    let types = texts(&["rest/content-types"], "contentType");
    let with = |body: &str| -> Vec<Vec<u8>> {
        types.iter().map(|kind| [kind.as_slice(), b"\n", body.as_bytes()].concat()).collect()
    };
    bodies.iter().flat_map(|body| with(body)).collect()
}

fn headers() -> Vec<Vec<u8>> {
    [
        "X-WebPubSub-Metadata-trace: 1\nContent-Type: text/plain".to_owned(),
        "x-webpubsub-metadata-A: \nX-WEBPUBSUB-METADATA-a: ~!#$%&'*+".to_owned(),
        format!("X-WebPubSub-Metadata-{}: {}", "k".repeat(256), "v".repeat(1024)),
        (0..7).map(|n| format!("X-WebPubSub-Metadata-{n}: {}\n", "v".repeat(1024))).collect(),
    ]
    .map(String::into_bytes)
    .to_vec()
}
