//! Turns: what a session does for somebody takes a place among what all sessions do, tenant by tenant and person by person.

use super::{Output, Session};
use penfold_mailbox::UidSet;

/// Messages that a long command treats before it lets others go first.
const PIECE: u32 = 1000;

impl Session {
    /// Waits until it is this person's turn; before signing in there is nobody to take turns.
    pub async fn take_turn(&self, out: &mut Output) {
        if let Some(user) = &self.user {
            out.turn = self.server.options.turns.of(user.who.account);
            out.turn.take().await;
        }
    }

    /// Who gives more commands than anybody needs is served more slowly.
    pub async fn keep_pace(&self) {
        let Some(user) = &self.user else { return };
        let wait = self.server.pace.pace(user.who.account);
        if !wait.is_zero() {
            self.server.env.sleep(wait).await;
        }
    }
}

/// The same messages, a thousand at a time; none are one piece too.
pub fn pieces(uids: &UidSet) -> impl Iterator<Item = UidSet> {
    let mut whole = (uids.len() <= PIECE).then(|| uids.clone());
    let mut left = uids.iter().take(if whole.is_some() { 0 } else { usize::MAX });
    std::iter::from_fn(move || {
        let piece = || Some(left.by_ref().take(PIECE as usize).collect()).filter(|piece: &UidSet| !piece.is_empty());
        whole.take().or_else(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_it() {
        assert_eq!(pieces(&UidSet::new()).collect::<Vec<_>>(), [UidSet::new()]);
        let uids = UidSet::from_ranges([1..=999, 2000..=4001, 5000..=5000]);
        let all: Vec<UidSet> = pieces(&uids).collect();
        assert_eq!(all.iter().map(UidSet::len).collect::<Vec<_>>(), [1000, 1000, 1000, 2]);
        assert_eq!(all.iter().fold(UidSet::new(), |sum, piece| sum.union(piece)), uids);
    }
}
