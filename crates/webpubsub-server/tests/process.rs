//! The program itself: how it starts, answers and ends.
#![expect(clippy::unwrap_used, reason = "what cannot be done here is a failed test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, kill_process};

const KEY: &str = "an-access-key-for-tests-of-48-characters-in-all!";

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("webpubsub-server-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_webpubsub-server"));
    command.args(["--port", "0", "--threads", "2", "--state"]).arg(state).env("WEBPUBSUB_ACCESS_KEY", KEY);
    command
}

/// Starts it; the address at which it listens.
fn start(state: &Path) -> (Child, String) {
    let mut child = command(state).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on http://").unwrap().to_owned();
    (child, address)
}

fn end(mut child: Child) -> Option<i32> {
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap().code()
}

fn ended(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// Sends requests on one connection, and returns everything until its end.
fn exchange(address: &str, requests: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(requests.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    answers
}

#[test]
fn it_answers_and_ends_when_it_is_asked_to() {
    let state = Folder::new("ends");
    let (child, address) = start(&state.0);
    let health = format!("HEAD /api/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let answer = exchange(&address, &health);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(end(child), Some(0));
}

#[test]
fn a_host_has_no_part_of_a_path_in_it() {
    let state = Folder::new("hosts");
    let (child, address) = start(&state.0);
    let answer = |host: &str| {
        let answer = exchange(&address, &format!("HEAD /nothing HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(answer(&address), "HTTP/1.1 404 Not Found");
    for rest in ["/api/health?", "/api/health#", "/", "?", "#", "*", "@other", "\\other", " other"] {
        assert_eq!(answer(&format!("{address}{rest}")), "HTTP/1.1 400 Bad Request", "{rest}");
    }
    assert_eq!(end(child), Some(0));
}

#[test]
fn a_request_with_a_long_head_is_its_connections_last() {
    let state = Folder::new("long-head");
    let (child, address) = start(&state.0);
    let health = |line: &str| format!("HEAD /api/health HTTP/1.1\r\nHost: {address}\r\nX-A: {line}\r\n\r\n");
    let (short, long) = (health("a"), health(&"a".repeat(20_000)));
    let answers =
        |requests: &[&str]| exchange(&address, &requests.concat()).matches("HTTP/1.1 200 OK").count();
    assert_eq!(answers(&[&short, &short]), 2);
    assert_eq!(answers(&[&short, &long, &short]), 2);
    assert_eq!(end(child), Some(0));
}

#[test]
fn a_supervisor_is_sent_when_it_listens_and_when_it_ends() {
    let state = Folder::new("supervised");
    let name = state.0.join("supervisor");
    let supervisor = UnixDatagram::bind(&name).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let child = command(&state.0).env("NOTIFY_SOCKET", &name).stdout(Stdio::null()).spawn().unwrap();
    let receive = || {
        let mut report = [0; 64];
        let length = supervisor.recv(&mut report).unwrap();
        String::from_utf8(report[..length].to_vec()).unwrap()
    };
    assert_eq!(receive(), "READY=1");
    assert_eq!(end(child), Some(0));
    assert_eq!(receive(), "STOPPING=1");
}

#[test]
fn a_hang_up_is_not_its_end() {
    let state = Folder::new("hang-up");
    let (child, address) = start(&state.0);
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let health = format!("HEAD /api/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    assert!(exchange(&address, &health).starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(end(child), Some(0));
}

#[test]
fn a_refused_request_leaves_the_next_one_on_its_connection() {
    let state = Folder::new("refused");
    let (child, address) = start(&state.0);
    let body = "x".repeat(100_000);
    let send = format!(
        "POST /api/hubs/h/:send HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let health = format!("HEAD /api/health HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let answers = exchange(&address, &[send, health].concat());
    assert!(answers.starts_with("HTTP/1.1 401 ") && answers.contains("HTTP/1.1 200 OK\r\n"), "{answers}");
    assert_eq!(end(child), Some(0));
}

#[test]
fn where_the_page_would_be_a_sentence_says_how_to_have_it() {
    let state = Folder::new("no-page");
    let (child, address) = start(&state.0);
    let get = |path: &str| exchange(&address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    if cfg!(feature = "pages") {
        assert!(get("/").starts_with("HTTP/1.1 200 OK\r\n"));
    } else {
        let answer = get("/");
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("--features pages"), "{answer}");
    }
    assert!(get("/api/openapi.json").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get("/other").ends_with("\r\n\r\nNot Found"));
    assert_eq!(end(child), Some(0));
}

/// Has a shell start it with these sockets from number 3 on, as a supervisor would.
fn start_with(state: &Path, sockets: &[&TcpListener], names: Option<&str>, more: &[&str]) -> Command {
    let own = command(state);
    let numbers = sockets.iter().map(|socket| socket.as_raw_fd());
    // All are copied to high numbers first: a low one may be another's place.
    let copies = numbers.clone().enumerate().map(|(at, number)| format!("exec {}<&{number}; ", 50 + at));
    let places = (0..sockets.len()).map(|at| format!("exec {}<&{}; ", 3 + at, 50 + at));
    let script = copies.chain(places).collect::<String>() + "LISTEN_PID=$$ exec \"$0\" \"$@\"";
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).arg(own.get_program()).args(own.get_args()).args(more);
    shell.env("WEBPUBSUB_ACCESS_KEY", KEY).env("LISTEN_FDS", sockets.len().to_string());
    if let Some(names) = names {
        shell.env("LISTEN_FDNAMES", names);
    }
    shell
}

/// A socket that other programs inherit.
fn inheritable() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    fcntl_setfd(&socket, FdFlags::empty()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}

#[test]
fn it_listens_on_the_socket_that_a_supervisor_gives_it() {
    let state = Folder::new("given");
    for names in [None, Some("webpubsub.socket"), Some("http")] {
        let (socket, address) = inheritable();
        // Whoever asks before it is there is answered all the same.
        let mut early = TcpStream::connect(&address).unwrap();
        write!(early, "HEAD /api/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut child = start_with(&state.0, &[&socket], names, &[]).stdout(Stdio::piped()).spawn().unwrap();
        drop(socket);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, format!("listening on http://{address}\n"), "{names:?}");
        let mut answer = String::new();
        early.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(end(child), Some(0));
    }
}

#[test]
fn sockets_that_are_of_no_use_are_said_in_a_sentence() {
    let state = Folder::new("given-wrong");
    let ((one, _), (other, _)) = (inheritable(), inheritable());
    let (code, error) = ended(&mut start_with(&state.0, &[&one, &other], Some("http:http"), &[]));
    assert_eq!((code, error.contains("there are two of a kind")), (Some(2), true), "{error}");
    let (code, error) = ended(&mut start_with(&state.0, &[&one, &other], Some("http:https"), &[]));
    assert_eq!((code, error.contains("needs --cert FILE and --key FILE")), (Some(2), true), "{error}");
}

#[test]
fn a_state_folder_is_one_process_at_a_time() {
    let state = Folder::new("twice");
    let (child, _) = start(&state.0);
    let (code, error) = ended(&mut command(&state.0));
    assert_eq!(code, Some(2));
    assert!(error.contains("another process runs on the state folder"), "{error}");
    assert_eq!(end(child), Some(0));
}

#[test]
fn what_cannot_be_right_is_said_in_a_sentence() {
    let state = Folder::new("wrong");
    let (code, error) = ended(command(&state.0).env_remove("WEBPUBSUB_ACCESS_KEY"));
    assert_eq!(code, Some(2));
    assert!(error.contains("WEBPUBSUB_ACCESS_KEY is not in the environment"), "{error}");
    let (code, error) = ended(command(&state.0).args(["--var", "SHARDS=0"]));
    assert_eq!((code, error.contains("variable SHARDS is not a whole number")), (Some(2), true), "{error}");
    let (code, error) = ended(command(&state.0).args(["--shards", "0"]));
    let said = "webpubsub-server: --shards 0: variable SHARDS is not a whole number from 1 to 65535.\n";
    assert_eq!((code, &*error), (Some(2), said));
    let settings = state.0.join("settings.json");
    std::fs::write(&settings, "{").unwrap();
    let settings = settings.to_string_lossy();
    let (code, error) = ended(command(&state.0).args(["--settings", &settings]));
    let said = format!("--settings {settings}: variable HUB_SETTINGS: the settings should be JSON");
    assert_eq!((code, error.contains(&said)), (Some(2), true), "{error}");
    let (code, error) = ended(command(&state.0).args(["--cert", "no-file", "--key", "no-file"]));
    assert_eq!((code, error.contains("--cert: no-file cannot be read: ")), (Some(2), true), "{error}");
    let (code, error) = ended(command(&state.0).args(["--host", "256.0.0.1"]));
    assert_eq!((code, error.contains("cannot listen at 256.0.0.1:0")), (Some(2), true), "{error}");
    assert!(error.ends_with(": take an address of this machine with --host H.\n"), "{error}");
    let (code, error) = ended(command(&state.0).args(["--pages", "no/such/folder"]));
    assert_eq!((code, error.contains("--pages: no/such/folder cannot be read")), (Some(2), true), "{error}");
}

#[test]
fn what_to_do_about_a_port_or_a_folder_is_said() {
    let state = Folder::new("advice");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let (code, error) = ended(command(&state.0).args(["--port", &port]));
    assert_eq!(
        (code, error.contains(&format!("cannot listen at 127.0.0.1:{port}"))),
        (Some(2), true),
        "{error}"
    );
    assert!(error.ends_with(": end what listens there, or take another port with --port N.\n"), "{error}");
    let file = state.0.join("file");
    std::fs::write(&file, "").unwrap();
    let (code, error) = ended(&mut command(&file));
    assert_eq!((code, error.contains(&*file.to_string_lossy())), (Some(2), true), "{error}");
    assert!(error.ends_with("or take another folder with --state DIR.\n"), "{error}");
}
