//! HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Go reads them.

use std::net::IpAddr;

use steady_system::Environment;

use super::Url;

/// The forward proxy for a URL, if there is one.
pub fn proxy_for(environment: &Environment, url: &Url) -> Option<String> {
    let get = |upper: &str, lower: &str| {
        [upper, lower]
            .iter()
            .map(|name| environment.get(name))
            .find(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let proxy = match url.scheme.as_str() {
        "https" => get("HTTPS_PROXY", "https_proxy"),
        // A CGI program's HTTP_PROXY is a header that a stranger sent.
        "http" if environment.lookup("REQUEST_METHOD").is_some() => None,
        "http" => get("HTTP_PROXY", "http_proxy"),
        _ => None,
    }?;
    let exempt = get("NO_PROXY", "no_proxy").unwrap_or_default();
    if url.is_loopback() || is_exempt(&exempt, url.host_name(), url.port()) {
        return None;
    }
    Some(if proxy.contains("://") {
        proxy
    } else {
        format!("http://{proxy}")
    })
}

fn is_exempt(list: &str, host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    list.split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| {
            if entry == "*" {
                return true;
            }
            if let Some((net, bits)) = entry.split_once('/') {
                return ip.is_some_and(|ip| in_network(ip, net, bits));
            }
            let (name, want) = match entry.rsplit_once(':') {
                Some((name, digits)) if !name.contains(':') && digits.parse::<u16>().is_ok() => {
                    (name, digits.parse().ok())
                }
                _ => (entry.as_str(), None),
            };
            if want.is_some_and(|want: u16| want != port) {
                return false;
            }
            let name = name.trim_start_matches('[').trim_end_matches(']');
            if let (Some(ip), Ok(entry)) = (ip, name.parse::<IpAddr>()) {
                return ip == entry;
            }
            let only_below = name.starts_with('.') || name.starts_with("*.");
            let name = name.trim_start_matches('*').trim_start_matches('.');
            let below = host
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with('.'));
            below || (!only_below && host == name)
        })
}

fn in_network(ip: IpAddr, net: &str, bits: &str) -> bool {
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(ip) & mask == u32::from(net) & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(ip) & mask == u128::from(net) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str, no_proxy: &str) -> Option<String> {
        let env = Environment::empty("/")
            .with("HTTPS_PROXY", "p.test:3128")
            .with("http_proxy", "http://q.test");
        proxy_for(&env.with("NO_PROXY", no_proxy), &Url::parse(url).unwrap())
    }

    #[test]
    fn by_scheme_and_never_for_this_machine() {
        assert_eq!(
            proxy("https://a.test/", "").as_deref(),
            Some("http://p.test:3128")
        );
        assert_eq!(
            proxy("http://a.test/", "").as_deref(),
            Some("http://q.test")
        );
        assert_eq!(proxy("https://127.0.0.1:80/", ""), None);
        assert_eq!(proxy("https://localhost/", ""), None);
    }

    #[test]
    fn exemptions() {
        let exempt = |host: &str, list: &str| proxy(&format!("https://{host}/"), list).is_none();
        assert!(exempt("a.test", "*"));
        assert!(exempt("a.test", "x, A.test"));
        assert!(exempt("b.a.test", "a.test"));
        assert!(!exempt("ba.test", "a.test"));
        assert!(!exempt("a.test", ".a.test"));
        assert!(exempt("b.a.test", "*.a.test"));
        assert!(exempt("a.test:8443", "a.test:8443"));
        assert!(!exempt("a.test", "a.test:8443"));
        assert!(exempt("10.1.2.3", "10.0.0.0/8"));
        assert!(!exempt("11.1.2.3", "10.0.0.0/8"));
        assert!(exempt("11.1.2.3", "0.0.0.0/0"));
    }
}
