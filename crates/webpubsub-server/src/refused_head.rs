//! What is answered to a head that cannot be read as a request. Hyper answers it by itself, with a status and no words, and
//! has no place for them: they are put into its answer where that is written.

use std::fmt::Write as _;

use bytes::Bytes;
use webpubsub_protocol::rest::Response;

/// The first lines of hyper's answers, with the status, its code and what is wrong.
const ANSWERS: [(&str, u16, &str, &str); 3] = [
    ("HTTP/1.1 400 Bad Request\r\n", 400, "Error.BadRequest", "What came is no request of HTTP/1.1."),
    (
        "HTTP/1.1 414 URI Too Long\r\n",
        414,
        "Error.UriTooLong",
        "The URL has more than 65,534 bytes. Clients that can set headers may send their token in `Authorization`.",
    ),
    (
        "HTTP/1.1 431 Request Header Fields Too Large\r\n",
        431,
        "Error.RequestHeaderFieldsTooLarge",
        "The head of the request has more than 160 KiB, or more than 100 header fields.",
    ),
];
/// What follows in them.
const NO_WORDS: &str = "connection: close\r\ncontent-length: 0\r\n";

/// The answer to a head with its words, if that is what these bytes are.
pub(crate) fn with_words(answer: &[u8]) -> Option<Bytes> {
    let answer = str::from_utf8(answer).ok()?;
    let (line, status, code, message) = ANSWERS.into_iter().find(|(line, ..)| answer.starts_with(line))?;
    let rest = answer.strip_prefix(line)?.strip_prefix(NO_WORDS)?;
    let Response { headers, body, .. } = Response::error(status, code, "Request", message);
    let mut words = line.to_owned();
    for (name, value) in headers {
        let _ = write!(words, "{name}: {value}\r\n");
    }
    let _ = write!(words, "connection: close\r\ncontent-length: {}\r\n{rest}{body}", body.len());
    answer.ends_with("\r\n\r\n").then(|| words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_words_gets_them() {
        let answer =
            b"HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n";
        let words = with_words(answer).unwrap();
        let (head, body) = str::from_utf8(&words).unwrap().split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 414 URI Too Long\r\n") && head.ends_with("\r\ndate: now"),
            "{head}"
        );
        assert!(
            head.contains(&format!("\r\nconnection: close\r\ncontent-length: {}\r\n", body.len())),
            "{head}"
        );
        assert!(head.contains("\r\nx-ms-error-code: Error.UriTooLong\r\n"), "{head}");
        assert!(
            body.starts_with(r#"{"code":"Error.UriTooLong","message":"The URL has more than "#),
            "{body}"
        );
    }

    #[test]
    fn any_other_answer_is_left_as_it_is() {
        for answer in [
            "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 5\r\ndate: now\r\n\r\nwords",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: no",
            "",
        ] {
            assert_eq!(with_words(answer.as_bytes()), None, "{answer}");
        }
    }
}
