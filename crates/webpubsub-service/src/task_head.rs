//! What a shard is given of a REST call beside its body, as one text.

use std::iter;

use webpubsub_protocol::rest::Refusal;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_shard::Command;

use crate::command_reader::CommandHead;
use crate::task::Work;

/// The head of a REST call on its way to a shard. It has a line each for the method, a blank and the URL; for the value
/// of `Content-Type`; for the value of `Content-Length`; and then for name and value of each header that may be a
/// message's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskHead(pub String);

impl TaskHead {
    fn line(&self, number: usize) -> &str {
        self.0.split('\n').nth(number).unwrap_or_default()
    }

    /// The method, and the URL, which is the one that the caller was authorised for, or leads to a part of what that
    /// asks for.
    #[must_use]
    pub fn asked(&self) -> Option<(&str, RequestUrl<'_>)> {
        let (method, url) = self.line(0).split_once(' ')?;
        Some((method, RequestUrl::split(url)?))
    }

    /// The value of `Content-Type`; empty for none.
    #[must_use]
    pub fn content_type(&self) -> &str {
        self.line(1)
    }

    /// The value of `Content-Length`; empty for none.
    #[must_use]
    pub fn length(&self) -> &str {
        self.line(2)
    }

    /// The headers that may be a message's metadata.
    fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.0.split('\n').skip(3);
        iter::from_fn(move || lines.next().zip(lines.next()))
    }

    /// The same head with this path and query.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        let (line, rest) = self.0.split_once('\n').unwrap_or_default();
        let (method, _) = line.split_once(' ').unwrap_or_default();
        Self(format!("{method} https://object{path}\n{rest}"))
    }

    /// The command that this work comes to, with what of it is in the head and in the body. `decode` decodes text as
    /// [`BodyReader::read`](crate::BodyReader::read) says.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn command(
        &self,
        work: &Work,
        body: Vec<u8>,
        decode: &dyn Fn(&str, &[u8]) -> Option<String>,
    ) -> Result<Command, Refusal> {
        match work.read_head(Some(self.content_type()), self.metadata())? {
            CommandHead::Whole(command) => Ok(command),
            CommandHead::NeedsBody(reader) => reader.read(body, decode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> TaskHead {
        TaskHead(text.to_owned())
    }

    #[test]
    fn a_head_has_the_request_line_and_what_a_body_needs() {
        let head = head("POST https://a.example/api/x?b=c\ntext/plain\n3\nx-m-a\n1\nx-m-b\n");
        let (method, url) = head.asked().unwrap();
        assert_eq!((method, url.path, url.query), ("POST", "/api/x", Some("b=c")));
        assert_eq!((head.content_type(), head.length()), ("text/plain", "3"));
        assert_eq!(head.metadata().collect::<Vec<_>>(), [("x-m-a", "1"), ("x-m-b", "")]);
    }

    #[test]
    fn a_head_without_headers_has_empty_ones() {
        let head = head("GET https://a.example/\n\n");
        assert_eq!((head.content_type(), head.length()), ("", ""));
        assert_eq!(head.metadata().count(), 0);
    }

    #[test]
    fn another_path_leaves_the_rest_of_a_head_as_it_is() {
        let head = head("POST https://a.example/api/x\ntext/plain\n3\nx-m-a\n1").with_path("/1-2/api/x?b=c");
        assert_eq!(head.0, "POST https://object/1-2/api/x?b=c\ntext/plain\n3\nx-m-a\n1");
    }

    #[test]
    fn what_is_no_head_asks_for_nothing() {
        for text in ["", "GET", "GET /api", "\n\n"] {
            assert!(head(text).asked().is_none(), "{text}");
        }
    }
}
