//! Decoders of what event handlers answer, and of the settings that name them.

use serde_json::Value;
use webpubsub_protocol::client::{DownstreamMessage, Encoding, Origin};
use webpubsub_protocol::event_handler::connect::{ConnectAnswer, ConnectBody};
use webpubsub_protocol::event_handler::{AnswerUse, Cookies, HandlerAnswer, Taken, UrlTemplate, is_public};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_shard::HubSettings;

use super::{Answer, Decoder, lines};
use crate::corpus::{bytes, text, texts, vectors};

const CONNECT: &[&[u8]] = &[
    b"\"",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"1",
    b"\"userId\":\"u\",",
    b"\"GROUPS\":[\"g\"],",
    b"\"roles\":[],",
    b"\"subProtocol\":\"s\",",
    b"\xff",
];

const REPLY: &[&[u8]] = &[
    b"\n",
    b";",
    b"/",
    b"text/plain\n",
    b"application/json\n",
    b"application/octet-stream\n",
    b"application/x-protobuf\n\x0a\x01",
    b"{",
    b"\"",
    b"null",
    b"\xff",
];

const URL: &[&[u8]] = &[
    b"https://",
    b"http://",
    b"/",
    b"\\",
    b"@",
    b":",
    b"[",
    b"]",
    b"::",
    b"%",
    b"#",
    b"?",
    b".",
    b"{",
    b"}",
    b"{hub}",
    b"{event}",
    b"0x7f",
    b"0177",
    b"127.0.0.1",
    b"localhost",
    b"xn--",
    b"\t",
    b"\xef\xbc\x91",
    b"\xe3\x80\x82",
];

const SETTINGS: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"***",
    b"*",
    b"\"auth\":{\"type\":\"None\"},",
    b"\"auth\":{\"type\":\"Bearer\",\"token\":\"t\"},",
    b"{\"secret\":\"HANDLER_SECRET_S\"}",
    b"\"properties\":{",
    b"\"EventPattern\":\"*\",",
    b"\"groupFilters\":[\"room.**\"],",
    b"\"systemEvents\":[\"connect\"],",
    b"\"userEventPattern\":\"a,b\",",
    b"{\"urlTemplate\":\"http://h\"},",
];

const COOKIE: &[&[u8]] = &[
    b";",
    b"=",
    b",",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\0",
    b"\"",
    b"; Path=/",
    b"; Path=/api/",
    b"; Secure",
    b"; Max-Age=0",
    b"; Max-Age=99999999999999999999",
    b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    b"; Expires=Fri, 31-Dec-99 23:59:59",
    b"; Domain=example.com",
    b"\xc2\x85",
];

const QUERY: &[&[u8]] =
    &[b"&", b"=", b"%", b"+", b"%41", b"%FF", b"access_token=", b"ACCESS%5fTOKEN=", b"\""];

pub(super) fn decoders() -> Vec<Decoder> {
    let urls = || texts(&["cloud-events/urls"], "input");
    vec![
        Decoder::new("connect-answer", texts(&["cloud-events/connect-answers"], "body"), CONNECT, connect),
        Decoder::new("handler-answer", replies(), REPLY, reply),
        Decoder::of_text("handler-url", urls(), URL, url),
        Decoder::of_text("hub-settings", settings(), SETTINGS, hub_settings),
        Decoder::of_text("handler-cookies", cookies(), COOKIE, set_cookie),
        Decoder::of_text("connect-query", queries(), QUERY, query),
    ]
}

/// What is accepted names a user, groups and a subprotocol or leaves them alone.
fn connect(body: &[u8]) -> Answer {
    let answer = HandlerAnswer { status: 200, body: body.to_vec(), ..HandlerAnswer::default() };
    let Ok(said) = ConnectAnswer::parse(&answer) else { return Answer::Refused };
    assert_ne!(said.groups, Some(Vec::new()));
    assert_ne!(said.subprotocol.as_deref(), Some(""));
    Answer::Accepted
}

/// What a client is to be sent can be sent to a client of any kind.
fn reply(input: &[u8]) -> Answer {
    let (content_type, body) = lines(input);
    let content_type = Some(String::from_utf8_lossy(content_type).into_owned());
    let answer = HandlerAnswer { status: 200, content_type, body: body.to_vec(), ..HandlerAnswer::default() };
    let Ok(Taken { reply, .. }) = answer.taken(AnswerUse::Reply) else { return Answer::Refused };
    let invocation_id = "1".to_owned();
    let response = DownstreamMessage::InvokeResponse { invocation_id, result: Ok(reply.data.clone()) };
    let message = reply.data.map(|data| DownstreamMessage::Data {
        from: Origin::Server,
        data,
        metadata: reply.metadata,
        sequence_id: None,
        stream: None,
    });
    for message in message.into_iter().chain([response]) {
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            assert!(encoding.decode_downstream(&encoding.encode_downstream(message.clone())).is_ok());
        }
    }
    Answer::Accepted
}

/// What is judged is what is called, for every event; and only a plain spelling is public.
fn url(text: &str) -> Answer {
    let Ok(template) = UrlTemplate::parse(text) else {
        assert!(!is_public(text) || text.len() > 2048);
        return Answer::Refused;
    };
    let resolved = template.resolve(&HubName::parse("a`,.[]").expect("a hub"), "Event_1.-");
    assert!(resolved.bytes().all(|byte| byte.is_ascii_graphic() && !b"{}\\#".contains(&byte)), "{resolved}");
    let (written, called) = (RequestUrl::split(text), RequestUrl::split(&resolved));
    assert_eq!(written.map(|url| (url.scheme, url.host)), called.map(|url| (url.scheme, url.host)));
    assert_eq!(is_public(&resolved), template.is_public());
    assert!(!template.without_query().contains('?'));
    Answer::Accepted
}

/// What is accepted survives its way, and its secrets survive being hidden.
fn hub_settings(text: &str) -> Answer {
    let Ok(settings) = HubSettings::parse(text) else { return Answer::Refused };
    for read in [HubSettings::parse, HubSettings::decode] {
        assert_eq!(read(&settings.encode()).as_ref(), Ok(&settings));
    }
    let shown = HubSettings::parse(&settings.show()).expect("what is shown can be put");
    // Of several handlers with one URL, each keeps what stands at its own place.
    assert_eq!(shown.with_secrets_of(&settings), Ok(settings));
    Answer::Accepted
}

/// No cookie can start a header or another cookie, or outgrow its bounds.
fn set_cookie(header: &str) -> Answer {
    const URL: &str = "https://example.com/api/eventhandler";
    let (now, mut cookies) = (Timestamp::from_millis(1_700_000_000_000), Cookies::default());
    cookies.take(now, URL, &["kept=1; Path=/".to_owned()]);
    let headers: Vec<String> = header.split('\u{0}').map(str::to_owned).collect();
    let is_changed = cookies.take(now, URL, &headers);
    assert_eq!(Cookies::decode(&cookies.encode()), cookies);
    let header = cookies.header(now, URL).unwrap_or_default();
    assert!(header.len() <= 8 * 1024 && !header.contains(char::is_control), "{header:?}");
    assert!(header.split("; ").filter(|pair| !pair.is_empty()).all(|pair| pair.contains('=')), "{header:?}");
    is_changed.into()
}

/// The body is JSON, and no token is in it.
fn query(query: &str) -> Answer {
    let body = ConnectBody { claims: &[], query: Some(query), headers: &[], offer: Some(query) };
    let body: Value = serde_json::from_str(&body.encode()).expect("JSON");
    let named = body["query"].as_object().expect("an object");
    assert!(named.keys().all(|name| !name.eq_ignore_ascii_case("access_token")));
    (!named.is_empty()).into()
}

/// Content type and body.
fn replies() -> Vec<Vec<u8>> {
    let reply = |vector: Value| {
        let body = match vector["hex"].as_str() {
            Some(hex) => bytes(hex.as_bytes()),
            None => text(&vector["body"]).into_bytes(),
        };
        [text(&vector["contentType"]).into_bytes(), vec![b'\n'], body].concat()
    };
    vectors("cloud-events/replies").into_iter().map(reply).collect()
}

fn queries() -> Vec<Vec<u8>> {
    vectors("cloud-events/connect-bodies").iter().map(|vector| text(&vector["query"]).into_bytes()).collect()
}

fn settings() -> Vec<Vec<u8>> {
    [
        r#"{"anonymousConnectPolicy":"allow","eventHandlers":[],"shards":4}"#,
        r#"{"id":"x","name":"h","systemData":null,"properties":{"eventListeners":[],"webSocketKeepAliveIntervalInSeconds":20,"eventHandlers":null}}"#,
        r#"{"EventHandlers":[{"UrlTemplate":"http://h","EventPattern":"*","SystemEvents":null,"Auth":{"Type":"None","ManagedIdentity":null}}],"EventListeners":null}"#,
        r#"{"eventHandlers":[{"urlTemplate":"https://example.com/{event}?code=c","systemEvents":["Connect","connected"],"auth":{"type":"bearer","token":"t"}}]}"#,
        r#"{"eventHandlers":[{"urlTemplate":"http://localhost:3000/","userEventPattern":" a, Message ","auth":{"type":"Header","name":"X-Key","value":{"secret":"HANDLER_SECRET_S"}}}]}"#,
        r#"{"eventHandlers":[{"urlTemplate":"http://h","userEventPattern":"*","groupPresenceEvents":{"eventNames":["joined","left"],"groupFilters":["*","room.**","a?\\\\*"]}},{"urlTemplate":"http://h","auth":{"type":"None"}}]}"#,
    ]
    .map(|settings| settings.as_bytes().to_vec())
    .to_vec()
}

fn cookies() -> Vec<Vec<u8>> {
    [
        "a=1",
        "ARRAffinity=0123456789abcdef; Path=/; HttpOnly; Secure; Domain=example.com",
        "session=x; Max-Age=3600; SameSite=Lax",
        "a=1; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Path=/api",
        "kept=; Max-Age=0; Path=/",
        "a=1\0b=2; path=/api/\0c=3",
    ]
    .map(|cookie| cookie.as_bytes().to_vec())
    .to_vec()
}
