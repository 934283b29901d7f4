use super::*;
use crate::testing::{Answer, Server};
use crate::{Limits, Silent};

fn client(change: impl FnOnce(&mut Config)) -> Client {
    let mut config = Config {
        goauth: "off".into(),
        ..Config::default()
    };
    config.limits = Limits {
        stall: Duration::from_millis(300),
        connect: Duration::from_millis(500),
        pause: Duration::from_millis(1),
        attempts: 3,
        ..Limits::default()
    };
    change(&mut config);
    Client::new(
        &config,
        Environment::empty("/"),
        Files::new("/"),
        Arc::new(Silent),
    )
}

fn bytes(server: &Server, path: &str) -> Result<Vec<u8>> {
    client(|_| {}).bytes(&Url::parse(&server.url(path)).unwrap(), 1000)
}

#[test]
fn texts_of_refusals() {
    let server = Server::new(|request| match request.path.as_str() {
        "/gone" => Answer::new(
            410,
            "text/plain; charset=utf-8",
            "not found: m@v1: no such thing\n",
        ),
        "/long" => Answer::new(404, "text/plain", "line\n".repeat(20)),
        "/html" => Answer::new(404, "text/html", "<p>no"),
        "/tricks" => Answer::new(404, "text/plain", "\x1b[31mred"),
        _ => Answer::new(200, "text/plain", "fine"),
    });
    assert_eq!(bytes(&server, "/x").unwrap(), b"fine");
    let url = server.url("/gone");
    let error = bytes(&server, "/gone").unwrap_err();
    assert!(error.is_not_exist());
    assert_eq!(
        error.to_string(),
        format!("reading {url}: 410 Gone\n\tserver response: not found: m@v1: no such thing")
    );
    assert!(
        bytes(&server, "/long")
            .unwrap_err()
            .to_string()
            .ends_with("line\n\t[Truncated: too many lines.]")
    );
    for path in ["/html", "/tricks"] {
        assert_eq!(
            bytes(&server, path).unwrap_err().to_string(),
            format!("reading {}: 404 Not Found", server.url(path))
        );
    }
}

#[test]
fn what_passes_is_tried_again_and_what_lasts_is_not() {
    let server = Server::new(|request| match (request.path.as_str(), request.count) {
        ("/busy", 1 | 2) => Answer::new(503, "text/plain", "busy"),
        ("/many", 1) => Answer::new(429, "text/plain", "slow down").with("Retry-After: 1"),
        ("/stumble", 1) => Answer::new(500, "text/plain", "oops"),
        ("/cut", 1 | 2) => Answer::new(200, "text/plain", "part").claiming(100),
        ("/down", _) => Answer::new(500, "text/plain", "down"),
        ("/always", _) => Answer::new(503, "text/plain", "busy"),
        _ => Answer::new(200, "text/plain", "fine"),
    });
    assert_eq!(bytes(&server, "/busy").unwrap(), b"fine");
    assert_eq!(bytes(&server, "/cut").unwrap(), b"fine");
    assert_eq!(bytes(&server, "/stumble").unwrap(), b"fine");
    let start = Instant::now();
    assert_eq!(bytes(&server, "/many").unwrap(), b"fine");
    assert!(start.elapsed() >= Duration::from_millis(900), "not waited");
    assert!(
        bytes(&server, "/down")
            .unwrap_err()
            .to_string()
            .contains("500 Internal Server Error")
    );
    assert_eq!(server.count("/down"), 2);
    assert!(
        bytes(&server, "/always")
            .unwrap_err()
            .to_string()
            .contains("503 Service Unavailable")
    );
    assert_eq!(server.count("/always"), 3);
}

#[test]
fn endless_and_silent_answers_end() {
    let server = Server::new(|request| match request.path.as_str() {
        "/endless" => Answer::new(200, "text/plain", "x".repeat(100_000)),
        "/silent" => Answer::new(200, "text/plain", "").delayed(Duration::from_secs(3)),
        "/drip" => Answer::new(200, "text/plain", "x".repeat(900)).dripping(),
        _ => Answer::new(200, "text/plain", "x")
            .claiming(10)
            .lingering(Duration::from_secs(3)),
    });
    assert!(
        bytes(&server, "/endless")
            .unwrap_err()
            .to_string()
            .contains("larger than 1000 bytes")
    );
    let url = Url::parse(&server.url("/drip")).unwrap();
    let slow = client(|config| config.limits.small = Duration::from_millis(200));
    let text = slow.bytes(&url, 1000).unwrap_err().to_string();
    assert!(
        text.contains("/drip: response did not end within 0.2 seconds"),
        "{text}"
    );
    let start = Instant::now();
    assert!(
        bytes(&server, "/silent")
            .unwrap_err()
            .to_string()
            .contains("timeout")
    );
    assert!(
        bytes(&server, "/stall")
            .unwrap_err()
            .to_string()
            .contains("timeout")
    );
    assert!(
        start.elapsed() < Duration::from_millis(2900),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn servers_say_how_long_to_wait() {
    let wait = |value: &str| {
        let mut response = Response {
            url: String::new(),
            status: String::new(),
            code: 429,
            headers: vec![("retry-after".into(), value.into())],
            body: Box::new(io::empty()),
            cause: None,
            _slot: None,
        };
        let _ = response.read(&mut []);
        response.retry_after(UNIX_EPOCH + Duration::from_secs(1_518_569_110))
    };
    assert_eq!(wait("7"), Some(Duration::from_secs(7)));
    let date = wait("Wed, 14 Feb 2018 00:45:20 GMT");
    assert_eq!(date, Some(Duration::from_secs(10)));
    let past = wait("Wed, 14 Feb 2018 00:45:00 GMT");
    assert_eq!(past, Some(Duration::ZERO));
    assert_eq!(wait("later"), None);
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = Server::new(|request| match request.path.as_str() {
        "/a" => Answer::redirect("/b"),
        "/loop" => Answer::redirect("/loop"),
        _ => Answer::new(200, "text/plain", "there"),
    });
    assert_eq!(bytes(&server, "/a").unwrap(), b"there");
    assert!(
        bytes(&server, "/loop")
            .unwrap_err()
            .to_string()
            .ends_with("stopped after 10 redirects")
    );
}

#[test]
fn security_of_schemes() {
    let url = |text: &str| Url::parse(text).unwrap();
    let text = |security, to: &str| {
        client(|_| {})
            .get(security, &url(to))
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        text(Security::SecureOnly, "http://127.0.0.1:1/"),
        "insecure URL: http://127.0.0.1:1/"
    );
    let refused = "refusing to pass credentials to insecure URL: http://u:xxxxx@127.0.0.1:1/";
    assert_eq!(text(Security::Default, "http://u:p@127.0.0.1:1/"), refused);
    assert_eq!(
        text(Security::Default, "ftp://127.0.0.1/"),
        "unsupported scheme: ftp://127.0.0.1/"
    );
    let dial = "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused";
    assert_eq!(text(Security::Default, "http://127.0.0.1:1/"), dial);
}

#[test]
fn forbidden_network_and_rewritten_hosts() {
    let server = Server::new(|request| Answer::new(200, "text/plain", request.host.clone()));
    let rewrite = crate::HostRewrite {
        to: server.host(),
        certificate: None,
    };
    let client = client(|config| {
        config.network_forbidden = true;
        config.hosts.insert("http://example.test".into(), rewrite);
    });
    let get = |url: &str| client.bytes(&Url::parse(url).unwrap(), 100);
    assert_eq!(get("http://example.test/x").unwrap(), b"example.test");
    assert!(
        get("http://other.test/x")
            .unwrap_err()
            .to_string()
            .contains("use of network")
    );
}

#[test]
fn files_answer_like_servers() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    Files::new(dir).write("list", b"v1.0.0\n", 0o644).unwrap();
    let get = |name: &str| {
        client(|_| {}).bytes(&Url::parse(&format!("file://{dir}/{name}")).unwrap(), 100)
    };
    assert_eq!(get("list").unwrap(), b"v1.0.0\n");
    let error = get("gone").unwrap_err();
    assert!(error.is_not_exist());
    assert_eq!(
        error.to_string(),
        format!("reading file://{dir}/gone: no such file or directory")
    );
}
