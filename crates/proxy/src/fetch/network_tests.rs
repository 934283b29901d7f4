//! Proxies as they are: pages instead of answers, answers without end, silence, connections that are cut.

use std::time::{Duration, Instant};

use super::tests::{Scene, module, usual};
use crate::testing::{Answer, Request, Server};

/// What a bad proxy does.
const TROUBLES: [&str; 6] = ["page", "endless", "silent", "cut", "empty", "stall"];

/// A proxy that answers requests for one kind of file badly, and all others well.
fn bad(kind: &'static str, trouble: &'static str) -> Server {
    Server::new(move |request: &Request| {
        if !request.path.ends_with(kind) {
            return usual(request);
        }
        let long = || "x".repeat(2 << 20);
        match trouble {
            "page" => Answer::new(200, "text/html", "<!doctype html>please log in"),
            // More than any such file may have; of a zip, what begins like none.
            "endless" => Answer::new(200, "text/plain", long()).claiming(usize::MAX >> 1),
            "silent" => Answer::new(200, "text/plain", "").delayed(Duration::from_secs(3)),
            "cut" => Answer::new(200, "text/plain", "PK").claiming(1000),
            "stall" => Answer::new(200, "text/plain", "PK")
                .claiming(1000)
                .lingering(Duration::from_secs(3)),
            _ => Answer::new(200, "text/plain", ""),
        }
    })
}

#[test]
fn the_next_proxy_is_asked_whatever_is_wrong_with_the_first() {
    let good = Server::new(usual);
    for trouble in TROUBLES {
        for kind in [".info", ".mod", ".zip"] {
            // A go.mod may well be empty, as far as a proxy's client can tell.
            if (kind, trouble) == (".mod", "empty") {
                continue;
            }
            let first = bad(kind, trouble);
            let mut scene = Scene::new(&format!("{}|{}", first.url(""), good.url("")));
            scene.config.limits.stall = Duration::from_millis(100);
            scene.config.limits.attempts = 2;
            let start = Instant::now();
            let described = scene.fetcher().describe_many(&[module()]).remove(0);
            assert!(
                described.error.is_none(),
                "{kind} {trouble}: {:?}",
                described.error
            );
            assert!(scene.files.exists(described.dir.join("a/a.go")));
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{kind} {trouble}: {:?}",
                start.elapsed()
            );
        }
    }
}

#[test]
fn what_is_wrong_with_the_only_proxy_is_told_with_its_address_and_nothing_stays() {
    for trouble in TROUBLES {
        for kind in [".info", ".mod", ".zip"] {
            if (kind, trouble) == (".mod", "empty") {
                continue;
            }
            let server = bad(kind, trouble);
            let mut scene = Scene::new(&server.url(""));
            scene.config.limits.stall = Duration::from_millis(100);
            scene.config.limits.attempts = 2;
            let fetcher = scene.fetcher();
            let described = fetcher.describe_many(&[module()]).remove(0);
            let text = described.error.unwrap().to_string();
            assert!(text.contains(&server.url("")), "{kind} {trouble}: {text}");
            let file = fetcher.cache_path(&module(), &kind[1..]).unwrap();
            assert!(!scene.files.exists(file), "{kind} {trouble}");
            let dir = scene.root.join("mod/m.test/m@v1.0.0");
            assert!(!scene.files.exists(dir), "{kind} {trouble}");
        }
    }
}

#[test]
fn lists_that_are_pages_are_no_lists() {
    let (page, good) = (bad("/list", "page"), Server::new(usual));
    let scene = Scene::new(&format!("{}|{}", page.url(""), good.url("")));
    let versions = scene.fetcher().versions("m.test/m", "").unwrap();
    assert_eq!(versions.list, ["v1.0.0", "v1.1.0-pre"]);
    let text = Scene::new(&page.url(""))
        .fetcher()
        .versions("m.test/m", "")
        .unwrap_err()
        .to_string();
    assert!(text.contains("a page instead of"), "{text}");
}
