use super::*;
use crate::testing::{Answer, Server};
use crate::{Limits, Silent};
use base64::Engine;
use camino::Utf8Path;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use steady_system::Environment;

const GOOD: &str = "h1:tKhCw13G/fFpoHewIf4axtnBYDuwIwsU9D5E4iI3N9E=";
const OTHER: &str = "h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=";

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// A database with one record.
struct Fake {
    pair: Ed25519KeyPair,
    id: Vec<u8>,
}

impl Fake {
    fn new(seed: u8) -> Fake {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = [&[1], pair.public_key().as_ref()].concat();
        let id = sha256(&[b"db.test\n".as_slice(), &key].concat())[..4].to_vec();
        Fake { pair, id }
    }

    fn key(&self) -> String {
        let hex: String = self.id.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "db.test+{hex}+{}",
            base64(&[&[1], self.pair.public_key().as_ref()].concat())
        )
    }

    fn record(module: &str, sum: &str) -> String {
        format!("{module} v1.0.0 {sum}\n{module} v1.0.0/go.mod {sum}\n")
    }

    fn lookup(&self, record: &str) -> String {
        let root = sha256(&[&[0], record.as_bytes()].concat());
        let text = format!("go.sum database tree\n1\n{}\n", base64(&root));
        let signature = base64(&[&self.id, self.pair.sign(text.as_bytes()).as_ref()].concat());
        format!("0\n{record}\n{text}\n\u{2014} db.test {signature}\n")
    }

    /// A proxy that speaks for the database; `signer` signs what it says.
    fn proxy(record: String, signer: Fake) -> Server {
        let root = sha256(&[&[0], record.as_bytes()].concat());
        Server::new(move |request| match request.path.as_str() {
            "/sumdb/db.test/supported" => Answer::new(200, "text/plain", ""),
            "/sumdb/db.test/lookup/m.test/m@v1.0.0" => {
                Answer::new(200, "text/plain", signer.lookup(&record))
            }
            "/sumdb/db.test/tile/8/0/000.p/1" => Answer::new(200, "text/plain", root.clone()),
            _ => Answer::not_found(),
        })
    }
}

struct Scene {
    dir: tempfile::TempDir,
    config: Config,
}

impl Scene {
    fn new(goproxy: &str, gosumdb: &str) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap().to_owned();
        let limits = Limits {
            pause: std::time::Duration::from_millis(1),
            attempts: 2,
            ..Limits::default()
        };
        let config = Config {
            goproxy: goproxy.into(),
            gosumdb: gosumdb.into(),
            goauth: "off".into(),
            gomodcache: root.join("mod"),
            gopath: root,
            network_forbidden: true,
            limits,
            ..Config::default()
        };
        Scene { dir, config }
    }

    fn check(&self, sum: &str) -> Result<(), String> {
        let files = Files::new("/");
        let client = Client::new(
            &self.config,
            Environment::empty("/"),
            files.clone(),
            Arc::new(Silent),
        );
        let proxies = goproxy::parse(&self.config).unwrap();
        let database = Database::new(&self.config, Arc::new(client), files, proxies);
        database
            .check(&ModuleVersion::new("m.test/m", "v1.0.0"), sum)
            .map_err(|error| error.to_string())
    }
}

#[test]
fn through_a_proxy_that_speaks_for_it_and_then_from_disk() {
    let fake = Fake::new(1);
    let key = fake.key();
    let server = Fake::proxy(Fake::record("m.test/m", GOOD), fake);
    let scene = Scene::new(&server.url(""), &key);
    scene.check(GOOD).unwrap();
    let asked = server.requests();
    scene.check(GOOD).unwrap();
    assert_eq!(server.requests(), asked, "the second time nothing is asked");
    let root = scene.dir.path();
    assert!(root.join("pkg/sumdb/db.test/latest").exists());
    assert!(
        root.join("mod/cache/download/sumdb/db.test/lookup/m.test/m@v1.0.0")
            .exists()
    );
}

#[test]
fn another_sum_and_no_sum_are_refused() {
    let fake = Fake::new(1);
    let key = fake.key();
    let server = Fake::proxy(Fake::record("m.test/m", OTHER), fake);
    let text = Scene::new(&server.url(""), &key).check(GOOD).unwrap_err();
    let want = format!(
        "m.test/m@v1.0.0: verifying module: checksum mismatch\n\tdownloaded: {GOOD}\n\tdb.test: {OTHER}\n\nSECURITY ERROR\n"
    );
    assert!(text.starts_with(&want), "{text}");
    let fake = Fake::new(1);
    let server = Fake::proxy(Fake::record("m.test/other", GOOD), fake);
    let text = Scene::new(&server.url(""), &key).check(GOOD).unwrap_err();
    assert!(
        text.contains("verifying module: checksum missing from sumdb response"),
        "{text}"
    );
}

#[test]
fn a_forged_head_is_refused() {
    let server = Fake::proxy(Fake::record("m.test/m", GOOD), Fake::new(2));
    let text = Scene::new(&server.url(""), &Fake::new(1).key())
        .check(GOOD)
        .unwrap_err();
    assert!(
        text.starts_with("m.test/m@v1.0.0: verifying module: m.test/m@v1.0.0: reading tree note: "),
        "{text}"
    );
}

#[test]
fn two_histories_are_told_as_they_are() {
    let key = Fake::new(1).key();
    let server = Fake::proxy(Fake::record("m.test/m", GOOD), Fake::new(1));
    let scene = Scene::new(&server.url(""), &key);
    scene.check(GOOD).unwrap();
    let forked = Fake::proxy(Fake::record("m.test/m", OTHER), Fake::new(1));
    let mut other = Scene::new(&forked.url(""), &key);
    // The same tree heads, but nothing else of what was learnt.
    other.config.gopath.clone_from(&scene.config.gopath);
    let text = other.check(OTHER).unwrap_err();
    assert!(
        text.starts_with("SECURITY ERROR\ngo.sum database server misbehavior detected!\n"),
        "{text}"
    );
}

#[test]
fn without_a_proxy_for_it_the_database_itself_is_asked() {
    let server = Server::new(|_| Answer::not_found());
    let text = Scene::new(&server.url(""), &Fake::new(1).key())
        .check(GOOD)
        .unwrap_err();
    assert!(
        text.ends_with("use of network: https://db.test/lookup/m.test/m@v1.0.0"),
        "{text}"
    );
    // A broken proxy does not mean that it is not supported.
    let server = Server::new(|_| Answer::new(500, "text/plain", "broken"));
    let text = Scene::new(&server.url(""), &Fake::new(1).key())
        .check(GOOD)
        .unwrap_err();
    assert!(text.contains("500 Internal Server Error"), "{text}");
}

#[test]
fn a_url_in_the_setting_beats_proxies() {
    let fake = Fake::new(1);
    let key = fake.key();
    let server = Fake::proxy(Fake::record("m.test/m", GOOD), fake);
    let setting = format!("{key} {}", server.url("/sumdb/db.test"));
    Scene::new("off", &setting).check(GOOD).unwrap();
    assert_eq!(server.count("/sumdb/db.test/supported"), 0);
}

#[test]
fn the_known_database_has_a_second_name() {
    let known = |id: &str| ["sum", "golang", id].join(".");
    let text = Scene::new("off", &known("google.cn"))
        .check(GOOD)
        .unwrap_err();
    let asked = format!(
        "use of network: https://{}/lookup/m.test/m@v1.0.0",
        known("google.cn")
    );
    assert!(text.ends_with(&asked), "{text}");
    let text = Scene::new("off", &known("org")).check(GOOD).unwrap_err();
    assert!(text.ends_with(&asked.replace("google.cn", "org")), "{text}");
}

#[test]
fn settings_that_cannot_be() {
    let text = |gosumdb: &str| Scene::new("off", gosumdb).check(GOOD).unwrap_err();
    let at = "m.test/m@v1.0.0: verifying module: ";
    assert_eq!(
        text("off"),
        format!("{at}checksum database disabled by GOSUMDB=off")
    );
    assert_eq!(text(""), format!("{at}missing GOSUMDB"));
    assert_eq!(
        text("a b c"),
        format!("{at}invalid GOSUMDB: too many fields")
    );
    assert!(text("nonsense").starts_with(&format!("{at}invalid GOSUMDB: malformed verifier id")));
}

#[test]
fn who_is_asked_about() {
    let applies = |change: &dyn Fn(&mut Config), path: &str| {
        let mut config = Config {
            goproxy: "https://p.test".into(),
            gosumdb: "db.test".into(),
            ..Config::default()
        };
        change(&mut config);
        super::applies(&config, &ModuleVersion::new(path, "v1.0.0"))
    };
    assert!(applies(&|_| {}, "m.test/m"));
    assert!(!applies(
        &|config| config.gosumdb = "off".into(),
        "m.test/m"
    ));
    assert!(!applies(
        &|config| config.gonosumdb = "m.test".into(),
        "m.test/m"
    ));
    assert!(applies(
        &|config| config.gosumdb = "off".into(),
        "golang.org/toolchain"
    ));
    assert!(applies(
        &|config| config.gonosumdb = "*".into(),
        "golang.org/toolchain"
    ));
    let lone =
        |config: &mut Config| (config.goproxy, config.gosumdb) = ("file:///x".into(), "off".into());
    assert!(!applies(&lone, "golang.org/toolchain"));
}
