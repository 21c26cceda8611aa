//! What a client was admitted as: made by the gateway, used by the shard.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::event_handler::connect::ConnectAnswer;
use webpubsub_protocol::event_handler::{CallFailure, Cookies};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::name::{GroupName, NameError, UserId};

use crate::config::Limits;

/// A new connection: its user, its roles and groups, and its subprotocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRequest {
    /// The user; `None` for an anonymous one.
    pub user: Option<UserId>,
    /// Role strings, unknown ones included.
    pub roles: Vec<String>,
    /// Groups that it is a member of from the start.
    pub groups: Vec<GroupName>,
    /// The subprotocol chosen.
    pub subprotocol: Subprotocol,
    /// What a simple client's frames mean; the other subprotocols do not look at it.
    pub mode: SimpleMode,
    /// The subprotocol that a handler chose and that the service does not know: a simple client's.
    pub custom_subprotocol: Option<String>,
    /// The service's host as the client sees it, or several with commas between.
    pub origin: String,
    /// `ce-connectionState` of the answer to `connect`.
    pub state: Option<String>,
    /// Cookies of the answer to `connect`.
    pub cookies: Cookies,
    /// Of a client of MQTT, which is asked about once its CONNECT has come: what a `connect` handler receives of
    /// its request, as JSON; `None` where no handler asks.
    pub connect_body: Option<String>,
}

impl Default for ConnectRequest {
    /// An anonymous simple client.
    fn default() -> Self {
        Self {
            user: None,
            roles: Vec::new(),
            groups: Vec::new(),
            subprotocol: Subprotocol::Simple,
            mode: SimpleMode::SendEvent,
            custom_subprotocol: None,
            origin: String::new(),
            state: None,
            cookies: Cookies::default(),
            connect_body: None,
        }
    }
}

/// A text was not made by [`ConnectRequest::encode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// It is not base64url of JSON of the right shape.
    #[error("the admission is malformed")]
    Malformed,
    /// A name in it breaks its rule.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl ConnectRequest {
    /// Applies the answer of a `connect` handler. Returns what `Sec-WebSocket-Protocol` answers
    /// where the handler chose, and `None` where it left the choice to the service.
    ///
    /// # Errors
    /// [`CallFailure::SubprotocolNotOffered`] for a subprotocol that the client, whose
    /// `Sec-WebSocket-Protocol` is given, did not offer: it would not go on with any other than those.
    /// [`CallFailure::InvalidGroup`] for more groups than a connection may be in. The client is answered 500.
    ///
    /// Source: docs/spec/cloudevents.md#connect; docs/spec/client.md#subprotocols.
    pub fn apply<'a>(
        &mut self,
        answer: ConnectAnswer,
        offer: Option<&'a str>,
        limits: &Limits,
    ) -> Result<Option<&'a str>, CallFailure> {
        let mut echoed = None;
        if let Some(name) = answer.subprotocol {
            let chosen = Subprotocol::choose(offer, &name).ok_or(CallFailure::SubprotocolNotOffered)?;
            echoed = chosen.answer;
            self.subprotocol = chosen.subprotocol;
            let custom = chosen.answer.filter(|_| chosen.subprotocol == Subprotocol::Simple);
            self.custom_subprotocol = custom.map(str::to_owned);
        }
        if let Some(user) = answer.user {
            self.user = user;
        }
        if let Some(groups) = answer.groups {
            if !limits.allows_groups(groups.len()) {
                return Err(CallFailure::InvalidGroup);
            }
            self.groups = groups;
        }
        if let Some(roles) = answer.roles {
            self.roles = roles;
        }
        Ok(echoed)
    }

    /// Writes the request as ASCII that fits a header.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut form = Writer::object();
        if let Some(user) = &self.user {
            form.text("user", user.as_str());
        }
        form.json("roles", &Writer::texts(&self.roles)).json("groups", &Writer::texts(&self.groups));
        if let Some(subprotocol) = self.subprotocol.name() {
            form.text("subprotocol", subprotocol);
        }
        if let SimpleMode::SendToGroup { group, echo } = &self.mode {
            let name = if *echo == Echo::Skip { "send_to_others" } else { "send_to" };
            form.text(name, group.as_str());
        }
        for (name, value) in [
            ("custom_subprotocol", &self.custom_subprotocol),
            ("state", &self.state),
            ("connect_body", &self.connect_body),
        ] {
            if let Some(value) = value {
                form.text(name, value);
            }
        }
        form.text("origin", &self.origin).text("cookies", &self.cookies.encode());
        URL_SAFE_NO_PAD.encode(form.finish())
    }

    /// Reads what [`ConnectRequest::encode`] wrote.
    ///
    /// # Errors
    /// [`AdmissionError`] for anything else.
    pub fn decode(text: &str) -> Result<Self, AdmissionError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| AdmissionError::Malformed)?;
        let form = str::from_utf8(&json).ok().and_then(Members::parse).ok_or(AdmissionError::Malformed)?;
        let text = |name| match form.get(name) {
            None => Ok(None),
            Some(value) => value.text().map(Some).ok_or(AdmissionError::Malformed),
        };
        let texts = |name| form.get(name).and_then(Json::texts).ok_or(AdmissionError::Malformed);
        let mut groups = Vec::new();
        for group in texts("groups")? {
            groups.push(GroupName::parse(group)?);
        }
        let mode = match (text("send_to")?, text("send_to_others")?) {
            (None, None) => SimpleMode::SendEvent,
            (Some(group), _) => SimpleMode::SendToGroup { group: GroupName::parse(group)?, echo: Echo::Send },
            (None, Some(group)) => {
                SimpleMode::SendToGroup { group: GroupName::parse(group)?, echo: Echo::Skip }
            }
        };
        Ok(Self {
            user: text("user")?.map(UserId::parse).transpose()?,
            roles: texts("roles")?,
            groups,
            subprotocol: Subprotocol::of_record(text("subprotocol")?.as_deref()),
            mode,
            custom_subprotocol: text("custom_subprotocol")?.map(Cow::into_owned),
            origin: text("origin")?.unwrap_or_default().into_owned(),
            state: text("state")?.map(Cow::into_owned),
            cookies: Cookies::decode(&text("cookies")?.unwrap_or_default()),
            connect_body: text("connect_body")?.map(Cow::into_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admission_survives_its_way_to_the_shard() {
        let request = ConnectRequest {
            user: Some(UserId::parse("ålice \"1\"").unwrap()),
            roles: vec!["webpubsub.sendToGroup".into(), "x".into()],
            groups: vec![GroupName::parse("group\n…").unwrap()],
            subprotocol: Subprotocol::JsonReliable,
            mode: SimpleMode::SendToGroup { group: GroupName::parse("g").unwrap(), echo: Echo::Skip },
            custom_subprotocol: Some("graphql-ws".into()),
            origin: "example.com:8080".into(),
            state: Some("é=".into()),
            cookies: Cookies::decode("1\t\texample.com\t/\ta=1\n"),
            connect_body: Some("{\"claims\":{}}".into()),
        };
        assert_eq!(ConnectRequest::decode(&request.encode()), Ok(request));
        assert_eq!(
            ConnectRequest::decode(&ConnectRequest::default().encode()),
            Ok(ConnectRequest::default())
        );
        assert_eq!(ConnectRequest::decode("é"), Err(AdmissionError::Malformed));
    }

    #[test]
    fn a_handlers_answer_replaces_what_the_token_says() {
        let said = ConnectRequest {
            user: Some(UserId::parse("token").unwrap()),
            roles: vec!["role".into()],
            groups: vec![GroupName::parse("group").unwrap()],
            subprotocol: Subprotocol::Json,
            ..ConnectRequest::default()
        };
        let apply = |answer: ConnectAnswer| {
            let mut request = said.clone();
            let echoed = request.apply(answer, Some("JSON.webpubsub.azure.v1, Custom"), &Limits::DEFAULT);
            (request, echoed)
        };
        assert_eq!(apply(ConnectAnswer::default()), (said.clone(), Ok(None)));

        let everything = ConnectAnswer {
            user: Some(None),
            groups: Some(vec![GroupName::parse("other").unwrap()]),
            roles: Some(vec![]),
            subprotocol: Some("custom".into()),
        };
        let (request, echoed) = apply(everything);
        assert_eq!(echoed, Ok(Some("Custom")));
        assert_eq!((request.user, request.roles), (None, vec![]));
        assert_eq!(request.groups, [GroupName::parse("other").unwrap()]);
        assert_eq!(request.subprotocol, Subprotocol::Simple);
        assert_eq!(request.custom_subprotocol.as_deref(), Some("Custom"));

        let choosing = |name: &str| {
            let (request, echoed) =
                apply(ConnectAnswer { subprotocol: Some(name.into()), ..ConnectAnswer::default() });
            (request.subprotocol, request.custom_subprotocol, echoed)
        };
        assert_eq!(
            choosing("json.webpubsub.azure.v1"),
            (Subprotocol::Json, None, Ok(Some("JSON.webpubsub.azure.v1")))
        );
        assert_eq!(choosing("protobuf.webpubsub.azure.v1").2, Err(CallFailure::SubprotocolNotOffered));
        assert_eq!(choosing("JSON.webpubsub.azure.v1, Custom").2, Err(CallFailure::SubprotocolNotOffered));
    }
}
