//! The same work for many things at a time, answers in the order of the things.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads pay where most of the time goes by waiting for proxies.
pub const WAITING: usize = 16;

/// `work` on each of `items`, by as many as `threads` threads.
pub fn map<T, R>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R>
where
    T: Sync,
    R: Send,
{
    let threads = threads.min(items.len());
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut mine = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return mine;
            };
            mine.push((at, work(item)));
        }
    };
    let mut answers: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(answers) => answers,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_keep_the_order_of_the_things() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [1, 7, 200] {
            let doubled = super::map(&items, threads, |item| {
                std::thread::sleep(std::time::Duration::from_micros((item * 31 % 7) as u64));
                item * 2
            });
            assert_eq!(
                doubled,
                items.iter().map(|item| item * 2).collect::<Vec<_>>()
            );
        }
        assert!(super::map(&[0; 0], 4, |item| *item).is_empty());
    }
}
