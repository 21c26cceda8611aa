//! The pages beside the service, from the program itself or a folder, and the description of its API.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use sha2::{Digest as _, Sha256};

/// Where the description of the API is.
const DOCUMENT: &str = "/api/openapi.json";
/// What it says.
const DOCUMENT_TEXT: &[u8] = include_bytes!("../../../www/api/openapi.json");

/// The pages that are a part of the program, by their names: those that `npm run build` has made.
#[cfg(feature = "pages")]
const BUILT_IN: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/pages.rs"));
#[cfg(not(feature = "pages"))]
const BUILT_IN: &[(&str, &[u8])] = &[];
/// What stands where the page would be.
const NO_PAGE: &str = "The page is not a part of this program, which serves everything else. With Node, `npm run build` \
     makes it; then `cargo install --features pages` puts it into the program, and `--pages build/www` serves it beside.\n";

/// What a browser may do with the pages, and that no other site may have them in a frame.
const PAGE_HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// All pages, read when the service starts.
pub(crate) struct Pages(Vec<Page>);

struct Page {
    path: String,
    content_type: &'static str,
    tag: String,
    body: Bytes,
}

impl Pages {
    /// Reads a folder, if there is one, in place of what is built in.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn read(folder: Option<&Path>) -> io::Result<Self> {
        let mut pages =
            vec![Page::new(DOCUMENT.to_owned(), "application/json", Bytes::from_static(DOCUMENT_TEXT))];
        let Some(root) = folder else {
            pages.extend(BUILT_IN.iter().map(|(name, body)| Page::of(name, Bytes::from_static(body))));
            return Ok(Self(pages));
        };
        let mut folders = vec![root.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                    pages.push(Page::of(name, fs::read(&path)?.into()));
                }
            }
        }
        Ok(Self(pages))
    }

    /// Answers a request for a page.
    pub(crate) fn answer(&self, request: &Parts) -> Response<Full<Bytes>> {
        let mut response = self.find(request);
        for (name, value) in PAGE_HEADERS {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn find(&self, request: &Parts) -> Response<Full<Bytes>> {
        let path = request.uri.path();
        let Some(page) = self.0.iter().find(|page| page.path == path) else {
            let name = path.strip_prefix('/').filter(|name| name.ends_with(".html"));
            let moved = name.and_then(|name| self.0.iter().find(|page| page.path == path_of(name)));
            let missing = || not_found(if path == "/" { NO_PAGE } else { "Not Found" });
            return moved.map_or_else(missing, |page| redirect(&page.path, request.uri.query()));
        };
        if request.method != Method::GET && request.method != Method::HEAD {
            return with(StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")], Bytes::new());
        }
        let is_known = request.headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == page.tag.as_str());
        let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
        let headers = [
            (CONTENT_TYPE, page.content_type),
            (CACHE_CONTROL, "public, max-age=0, must-revalidate"),
            (ETAG, &page.tag),
        ];
        with(status, headers, if is_known { Bytes::new() } else { page.body.clone() })
    }
}

impl Page {
    /// The page that a file is.
    fn of(name: &str, body: Bytes) -> Self {
        Self::new(path_of(name), content_type(name), body)
    }

    fn new(path: String, content_type: &'static str, body: Bytes) -> Self {
        let hash = Sha256::digest(&body);
        let tag = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { path, content_type, tag: format!("\"{tag}\""), body }
    }
}

/// The path that a file answers to: the folder's for an `index.html`, without `.html` for other pages.
fn path_of(name: &str) -> String {
    let path = format!("/{name}");
    match path.strip_suffix("/index.html") {
        Some(folder) => format!("{folder}/"),
        None => path.strip_suffix(".html").map_or(path.clone(), str::to_owned),
    }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn not_found(words: &'static str) -> Response<Full<Bytes>> {
    with(StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain;charset=UTF-8")], words.into())
}

fn redirect(path: &str, query: Option<&str>) -> Response<Full<Bytes>> {
    let location = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    with(StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location.as_str())], Bytes::new())
}

fn with<'a>(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, &'a str)>,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_answers_to_its_path_without_the_ending() {
        let paths = ["index.html", "a/index.html", "a/b.html", "a/b.js"].map(path_of);
        assert_eq!(paths, ["/", "/a/", "/a/b", "/a/b.js"]);
    }
}
