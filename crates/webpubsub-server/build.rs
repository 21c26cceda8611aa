//! With the feature `pages`: the files of `build/www`, which `npm run build` makes, as a part of the program.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGES").is_none() {
        return Ok(());
    }
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let folder = variable("CARGO_MANIFEST_DIR")?.join("../../build/www");
    if !folder.join("index.html").exists() {
        println!(
            "cargo::error=the feature `pages` needs the pages in build/www, which are not there: make them \
             with `npm run build` (Node and the wasm toolchain, which it installs), or leave the feature out"
        );
        return Ok(());
    }
    let folder = folder.canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    list(&folder, &mut files)?;
    files.sort();
    let mut list = String::from("[\n");
    for file in &files {
        let name = file.strip_prefix(&folder).map_err(io::Error::other)?;
        list += &format!("({name:?}, include_bytes!({file:?}) as &[u8]),\n");
    }
    fs::write(variable("OUT_DIR")?.join("pages.rs"), list + "]\n")
}

/// Adds all files of a folder, and of those in it.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
