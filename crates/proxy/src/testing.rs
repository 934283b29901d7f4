//! A loopback HTTP server for tests: closures answer, and answers can be cut, slow or silent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked.
pub struct Request {
    pub path: String,
    pub host: String,
    pub headers: HashMap<String, String>,
    /// How often this path was asked for, this time included.
    pub count: usize,
}

impl Request {
    /// The start of a byte range, or 0.
    pub fn from(&self) -> usize {
        let range = self
            .headers
            .get("range")
            .and_then(|range| range.strip_prefix("bytes="));
        range
            .and_then(|range| range.trim_end_matches('-').parse().ok())
            .unwrap_or(0)
    }
}

/// What is answered.
pub struct Answer {
    code: u16,
    headers: Vec<String>,
    body: Vec<u8>,
    length: Option<usize>,
    delay: Duration,
    linger: Duration,
    drips: bool,
}

impl Answer {
    pub fn new(code: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = vec![format!("Content-Type: {kind}")];
        Answer {
            code,
            headers,
            body: body.into(),
            length: None,
            delay: Duration::ZERO,
            linger: Duration::ZERO,
            drips: false,
        }
    }

    pub fn not_found() -> Answer {
        Answer::new(404, "text/plain", "not found")
    }

    pub fn redirect(to: &str) -> Answer {
        Answer::new(302, "text/plain", "").with(&format!("Location: {to}"))
    }

    pub fn with(mut self, header: &str) -> Answer {
        self.headers.push(header.to_owned());
        self
    }

    /// Says that the body is longer than it is, and cuts it.
    pub fn claiming(mut self, length: usize) -> Answer {
        self.length = Some(length);
        self
    }

    pub fn delayed(mut self, delay: Duration) -> Answer {
        self.delay = delay;
        self
    }

    /// Sends the body byte by byte, slowly.
    pub fn dripping(mut self) -> Answer {
        self.drips = true;
        self
    }

    /// Keeps the connection open and silent after the body.
    pub fn lingering(mut self, linger: Duration) -> Answer {
        self.linger = linger;
        self
    }
}

/// The server; its threads end with the test process.
pub struct Server {
    host: String,
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Server {
    pub fn new(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let counts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let (answer, seen) = (Arc::new(answer), Arc::clone(&counts));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || serve(&stream, &*answer, &seen));
            }
        });
        Server { host, counts }
    }

    pub fn host(&self) -> String {
        self.host.clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    pub fn count(&self, path: &str) -> usize {
        self.counts.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    pub fn requests(&self) -> usize {
        self.counts.lock().unwrap().values().sum()
    }
}

fn send(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    if !answer.drips {
        return stream.write_all(&answer.body);
    }
    answer.body.iter().try_for_each(|byte| {
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(&[*byte])
    })
}

fn serve(
    stream: &TcpStream,
    answer: &dyn Fn(&Request) -> Answer,
    seen: &Mutex<HashMap<String, usize>>,
) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) <= 2 {
                break;
            }
            if let Some((name, value)) = line.trim().split_once(": ") {
                headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
        }
        let count = {
            let mut seen = seen.lock().unwrap();
            let count = seen.entry(path.clone()).or_default();
            *count += 1;
            *count
        };
        let host = headers.get("host").cloned().unwrap_or_default();
        let answer = answer(&Request {
            path,
            host,
            headers,
            count,
        });
        std::thread::sleep(answer.delay);
        let length = answer.length.unwrap_or(answer.body.len());
        let mut head = format!(
            "HTTP/1.1 {} Status\r\nContent-Length: {length}\r\n",
            answer.code
        );
        answer
            .headers
            .iter()
            .for_each(|header| head += &format!("{header}\r\n"));
        let mut stream = stream;
        let sent = stream
            .write_all((head + "\r\n").as_bytes())
            .and_then(|()| send(stream, &answer));
        std::thread::sleep(answer.linger);
        if sent.is_err() || length != answer.body.len() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}
