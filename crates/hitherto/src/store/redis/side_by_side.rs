//! Asking several servers the same thing, so that one that is silent holds up nobody.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;

/// After how long the next one is asked, too.
const STAGGER: Duration = Duration::from_millis(100);

/// The first answer that is one, or all that are none: the first is asked, and the next whenever one has no answer
/// or is slow.
pub(super) async fn first<T, E, F>(questions: impl IntoIterator<Item = F>) -> Result<T, Vec<E>>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let mut waiting = questions.into_iter();
    let mut asked = JoinSet::new();
    let (mut more, mut none) = (true, Vec::new());
    loop {
        match waiting.next() {
            Some(question) => drop(asked.spawn(question)),
            None => more = false,
        }
        loop {
            let next =
                async { if more { tokio::time::sleep(STAGGER).await } else { std::future::pending().await } };
            tokio::select! {
                answer = asked.join_next() => match answer {
                    Some(Ok(Ok(answer))) => return Ok(answer),
                    None if !more => return Err(none),
                    None => break,
                    Some(no) => {
                        none.extend(no.ok().and_then(Result::err));
                        if more {
                            break;
                        }
                    }
                },
                () = next => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Clone, Copy)]
    enum Asked {
        Says(u32),
        HasNone,
        IsSilent,
    }

    /// The first answer, or how many have none; and how many were asked.
    async fn ask(asked: &[Asked]) -> (Result<u32, usize>, usize) {
        let count = Arc::new(AtomicUsize::new(0));
        let questions = asked.iter().copied().map(|asked| {
            let count = Arc::clone(&count);
            async move {
                count.fetch_add(1, Ordering::SeqCst);
                match asked {
                    Asked::Says(answer) => Ok(answer),
                    Asked::HasNone => Err("none"),
                    Asked::IsSilent => std::future::pending().await,
                }
            }
        });
        (first(questions.collect::<Vec<_>>()).await.map_err(|none| none.len()), count.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn whoever_is_silent_or_has_no_answer_holds_up_nobody() {
        use Asked::{HasNone, IsSilent, Says};
        assert_eq!(ask(&[Says(1), Says(2)]).await, (Ok(1), 1));
        assert_eq!(ask(&[HasNone, Says(2)]).await, (Ok(2), 2));
        assert_eq!(ask(&[IsSilent, HasNone, Says(3)]).await, (Ok(3), 3));
        assert_eq!(ask(&[HasNone, HasNone]).await, (Err(2), 2));
        assert_eq!(ask(&[]).await, (Err(0), 0));
    }
}
