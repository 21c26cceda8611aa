//! Publishes a text to a group over REST, as a server does:
//! `cargo run -p example-rust-native --bin publisher -- HUB GROUP TEXT`.
//!
//! The service is the one of `WEBPUBSUB_CONNECTION_STRING`, at its `http:` endpoint. The key stays here: the token is
//! made on the spot, for this one URL and a minute.
#![expect(clippy::print_stdout, reason = "an example's output")]

use std::error::Error;
use std::time::SystemTime;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use webpubsub_auth::{AccessKeys, ConnectionString, sign};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().ok_or("HUB GROUP TEXT, please");
    let (hub, group, text) = (argument()?, argument()?, argument()?);
    let service = ConnectionString::parse(&std::env::var("WEBPUBSUB_CONNECTION_STRING")?)?;
    let host = service.endpoint.strip_prefix("http://").ok_or("an http: endpoint, please")?;

    let target = format!("/api/hubs/{hub}/groups/{group}/:send?api-version=2024-12-01");
    let expires = SystemTime::UNIX_EPOCH.elapsed()?.as_secs() + 60;
    let claims = serde_json::json!({ "aud": format!("{}{target}", service.endpoint), "exp": expires });
    let token = sign(&AccessKeys::new(&service.access_key, None)?, &claims.to_string());

    let mut stream = TcpStream::connect(host).await?;
    let head = [
        &format!("POST {target} HTTP/1.1"),
        &format!("Host: {host}"),
        &format!("Authorization: Bearer {token}"),
        "Content-Type: text/plain",
        &format!("Content-Length: {}", text.len()),
        "Connection: close",
    ];
    stream.write_all(format!("{}\r\n\r\n{text}", head.join("\r\n")).as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    println!("{status}");
    if status.contains(" 202 ") { Ok(()) } else { Err(answer.into()) }
}
