//! How many threads each compiler gets.

use std::sync::Mutex;

use crate::shell::lock;

/// A pool that the compilers of a build share: a compiler that runs alone gets all processors, many at once get few each.
pub(crate) struct Tokens {
    processors: usize,
    parallel: usize,
    least: usize,
    state: Mutex<State>,
}

struct State {
    available: usize,
    running: usize,
}

/// A share of the pool, given back when dropped.
pub(crate) struct Share<'a> {
    tokens: Option<&'a Tokens>,
    pub threads: usize,
}

impl Tokens {
    pub fn new(parallel: usize, processors: usize) -> Tokens {
        let least = processors.min(4);
        let available = 2 * processors + least * parallel;
        Tokens {
            processors,
            parallel,
            least,
            state: Mutex::new(State {
                available,
                running: 0,
            }),
        }
    }

    pub fn take(&self) -> Share<'_> {
        if self.parallel == 1 {
            return Share {
                tokens: None,
                threads: self.processors,
            };
        }
        let mut state = lock(&self.state);
        state.running += 1;
        let set_aside = self.parallel.saturating_sub(state.running) * self.least;
        let half = state.available.saturating_sub(set_aside) / 2;
        let threads = half.min(self.processors).max(self.least);
        state.available = state.available.saturating_sub(threads);
        Share {
            tokens: Some(self),
            threads,
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if let Some(tokens) = self.tokens {
            let mut state = lock(&tokens.state);
            state.running -= 1;
            state.available += self.threads;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_shrink_and_return() {
        let tokens = Tokens::new(8, 8);
        let first = tokens.take();
        assert_eq!(first.threads, 8);
        let shares: Vec<Share<'_>> = (0..7).map(|_| tokens.take()).collect();
        assert!(shares.iter().all(|share| share.threads >= 4));
        drop((first, shares));
        assert_eq!(lock(&tokens.state).available, 16 + 32);
        assert_eq!(Tokens::new(1, 8).take().threads, 8);
    }
}
