//! How a task becomes a shard's command, with what of it is in the head and the body of a request.

use webpubsub_auth::read_continuation;
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::rest::{self, ContentKind, Decode, GroupsRequest, Refusal};
use webpubsub_shard::{Command, Selection};

use crate::task::Work;

/// A command, as far as the head of its request says it.
#[derive(Debug)]
pub enum CommandHead {
    /// All of it.
    Whole(Command),
    /// The rest is in the body.
    NeedsBody(BodyReader),
}

/// What reads the body of a request.
#[derive(Debug)]
pub struct BodyReader(Kind);

#[derive(Debug)]
enum Kind {
    Message { kind: ContentKind, metadata: Metadata, to: Selection, ttl: TimeToLive },
    Groups { content_type: Option<String>, many: fn(GroupsRequest) -> Command },
}

impl Work {
    /// Reads the head of a request: the value of `Content-Type`, and the names and values of all headers that
    /// may carry metadata.
    ///
    /// # Errors
    /// Why the request is refused, whatever its body holds.
    pub fn read_head<'a>(
        &self,
        content_type: Option<&str>,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<CommandHead, Refusal> {
        let many = |many| {
            let content_type = content_type.map(str::to_owned);
            CommandHead::NeedsBody(BodyReader(Kind::Groups { content_type, many }))
        };
        Ok(match self {
            Self::Command(command) => CommandHead::Whole(command.clone()),
            Self::Deliver { to, ttl } => {
                let kind = rest::parse_content_type(content_type)?;
                let (metadata, to) = (rest::message_metadata(headers)?, to.clone());
                CommandHead::NeedsBody(BodyReader(Kind::Message { kind, metadata, to, ttl: *ttl }))
            }
            Self::JoinMany => many(Self::join_many),
            Self::LeaveMany => many(Self::leave_many),
            Self::List { group, page } => {
                let token = page.continuation_token.as_deref();
                // The gateway has verified it.
                let after = token.map(read_continuation).transpose();
                let after = after.map_err(|_| Refusal::ContinuationToken)?;
                CommandHead::Whole(Command::Members { group: group.clone(), after, limit: page.wanted() })
            }
        })
    }
}

impl BodyReader {
    /// Reads the body.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn read(self, body: Vec<u8>, decode: &Decode<'_>) -> Result<Command, Refusal> {
        match self.0 {
            Kind::Groups { content_type, many } => {
                rest::groups_body(content_type.as_deref(), body, decode).map(many)
            }
            Kind::Message { kind, metadata, to, ttl } => {
                let data = rest::message_data(&kind, body, decode)?;
                Ok(Command::Send { to, data, metadata, ttl })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::data::MessageData;
    use webpubsub_protocol::rest::Operation;

    use super::*;
    use crate::task::Task;

    const JSON: Option<&str> = Some("application/json");

    fn read(path: &str, content_type: Option<&str>, body: &[u8]) -> Result<Command, Refusal> {
        let method = if path.ends_with("/connections") { "GET" } else { "POST" };
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let Ok(Operation::OfHub(_, operation)) = Operation::parse(method, path, query) else {
            panic!("{path}")
        };
        let decode = |label: &str, text: &[u8]| {
            (label == "latin1").then(|| text.iter().map(|byte| char::from(*byte)).collect())
        };
        let headers = [("x-webpubsub-metadata-k", "v")];
        match Task::of(operation).work.read_head(content_type, headers)? {
            CommandHead::Whole(command) => Ok(command),
            CommandHead::NeedsBody(reader) => reader.read(body.to_vec(), &decode),
        }
    }

    #[test]
    fn a_message_has_its_data_and_metadata() {
        let command = read("/api/hubs/h/:send", Some("text/plain"), b"a").unwrap();
        let Command::Send { data, metadata, .. } = command else { panic!("{command:?}") };
        assert_eq!(data, MessageData::Text("a".to_owned()));
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("k", "v")]);
    }

    #[test]
    fn text_of_another_charset_is_decoded_by_the_host() {
        let send = |charset: &str| {
            let content_type = format!("text/plain; charset={charset}");
            read("/api/hubs/h/:send", Some(&content_type), &[0xE9])
        };
        let command = send("latin1").unwrap();
        assert!(matches!(command, Command::Send { data: MessageData::Text(text), .. } if text == "é"));
        assert_eq!(send("nothing").unwrap_err(), Refusal::ContentType);
    }

    #[test]
    fn a_head_may_refuse_a_request_whatever_its_body() {
        assert_eq!(read("/api/hubs/h/:send", Some("a/b"), b"").unwrap_err(), Refusal::ContentType);
        let page = "/api/hubs/h/groups/g/connections";
        assert!(matches!(read(page, None, b""), Ok(Command::Members { after: None, .. })));
    }

    #[test]
    fn a_body_names_groups() {
        let command = read("/api/hubs/h/:addToGroups", JSON, br#"{"groups":["g"]}"#).unwrap();
        assert!(matches!(command, Command::Join { groups, .. } if groups.len() == 1));
        assert_eq!(read("/api/hubs/h/:addToGroups", JSON, b"{").unwrap_err(), Refusal::NotJson);
    }
}
