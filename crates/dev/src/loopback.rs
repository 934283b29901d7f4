//! A module proxy on loopback that answers from a module cache's download directory, for both commands the same.

#![allow(clippy::disallowed_methods)]

use anyhow::Result;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Starts the proxy; it runs until the process ends. Returns what GOPROXY must be.
pub fn proxy(download: &Path) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let root = Arc::new(download.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let root = root.clone();
            // A client that goes away is no failure of the proxy.
            std::thread::spawn(move || serve(&root, stream));
        }
    });
    Ok(address)
}

fn serve(root: &Path, stream: TcpStream) -> std::io::Result<()> {
    // Or each answer waits for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let target = request.split(' ').nth(1).unwrap_or_default();
        let body = file(root, target).and_then(|path| fs::read(path).ok());
        let status = if body.is_some() {
            "200 OK"
        } else {
            "404 Not Found"
        };
        let body = body.unwrap_or_default();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        stream.write_all(&body)?;
    }
}

fn file(root: &Path, target: &str) -> Option<PathBuf> {
    // `!`, which stands for capital letters, is escaped by some clients and not by others.
    let target = steady_proxy::http::decode(target.strip_prefix('/')?).ok()?;
    let path = Path::new(&target);
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
        .then(|| root.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_may_be_escaped_twice() {
        let root = Path::new("/cache");
        let want = Some(PathBuf::from("/cache/github.com/!burnt!sushi/toml/@v/list"));
        assert_eq!(
            file(root, "/github.com/%21burnt%21sushi/toml/@v/list"),
            want
        );
        assert_eq!(file(root, "/github.com/!burnt!sushi/toml/@v/list"), want);
        assert_eq!(file(root, "/%2e%2e/etc/passwd"), None);
    }
}
