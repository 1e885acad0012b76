//! How much one person may hand in, so that a stolen password is of little use to who sends spam. The counts are a row of
//! the person's: edges count together, and a restart forgets nothing. It costs a read and a write a submission.

use crate::{Refusal, Settings, Transport};
use penfold_directory::{SignedIn, TenantStatus};
use penfold_ports::{Name, PortError, Row, Sk, Value, When, Write};
use penfold_types::{Error, Timestamp};
use std::time::Duration;

const DAY: Name = Name::new("d");
const RECIPIENTS: Name = Name::new("r");
const MINUTE: Name = Name::new("m");
const MESSAGES: Name = Name::new("n");
/// What a write is judged by: it changes with every one.
const VERSION: Name = Name::new("v");

/// Somebody who sends on so many connections at once may come again.
const TRIES: u32 = 8;

/// What was handed in. Days and minutes are those of UTC since 1970.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Sent {
    day: u64,
    recipients: u64,
    minute: u64,
    messages: u64,
    version: u64,
}

impl Sent {
    fn read(row: &Row) -> Self {
        let number = |name| row.u64(name).unwrap_or(0);
        Self {
            day: number(DAY),
            recipients: number(RECIPIENTS),
            minute: number(MINUTE),
            messages: number(MESSAGES),
            version: number(VERSION),
        }
    }

    fn attributes(self) -> Vec<(Name, Value)> {
        vec![
            (DAY, self.day.into()),
            (RECIPIENTS, self.recipients.into()),
            (MINUTE, self.minute.into()),
            (MESSAGES, self.messages.into()),
            (VERSION, self.version.into()),
        ]
    }

    /// One message more, with so many recipients.
    fn and(self, recipients: u64, at: Timestamp, settings: &Settings) -> Result<Self, Refusal> {
        let seconds = u64::try_from(at.seconds()).unwrap_or(0);
        let (day, minute) = (seconds / 86_400, seconds / 60);
        let recipients = recipients.saturating_add(if self.day == day { self.recipients } else { 0 });
        let messages = if self.minute == minute { self.messages.saturating_add(1) } else { 1 };
        let past = |number, limit| limit > 0 && number > limit;
        if past(messages, settings.messages_per_minute) {
            return Err(Refusal::TooFast { messages_per_minute: settings.messages_per_minute });
        }
        if past(recipients, settings.recipients_per_day) {
            return Err(Refusal::TooManyToday { recipients_per_day: settings.recipients_per_day });
        }
        Ok(Self { day, recipients, minute, messages, version: self.version.saturating_add(1) })
    }
}

impl Transport {
    /// Counts a message before it is kept. One that cannot be kept then was counted all the same.
    pub(crate) async fn spend(&self, submitter: &SignedIn, recipients: u64, at: Timestamp) -> Result<(), Refusal> {
        let (world, settings) = (&self.0.world, &self.0.settings);
        if settings.recipients_per_day == 0 && settings.messages_per_minute == 0 {
            return Ok(());
        }
        let trial = self.0.directory.tenant_status(submitter.scope.tenant()).await? == TenantStatus::Trial;
        // Whoever signed up a moment ago may be anybody.
        let settings = if trial { &settings.on_trial() } else { settings };
        let scope = self.0.directory.tenant_scope(submitter.scope.tenant());
        let key = scope.principal(submitter.scope.viewer(), Sk::text("sent"));
        for attempt in 0..TRIES {
            if attempt > 0 {
                world.env.sleep_jittered(Duration::from_millis(10 << attempt.min(6))).await;
            }
            let row = match world.table.get(&key).await {
                Ok(row) => row,
                Err(PortError::Throttled | PortError::Unknown) => continue,
                Err(error) => return Err(self.0.stopped(error)),
            };
            let when = match &row {
                Some(row) => When::Equal(vec![(VERSION, row.u64(VERSION).unwrap_or(0).into())]),
                None => When::Absent,
            };
            let sent = row.as_ref().map(Sent::read).unwrap_or_default().and(recipients, at, settings)?;
            let write = Write::Update { key: key.clone(), set: sent.attributes(), remove: Vec::new(), when };
            match world.table.put(write).await {
                Ok(()) => return Ok(()),
                // Where the answer was lost the message may be counted twice, which harms less than not at all.
                Err(PortError::Condition { .. } | PortError::Throttled | PortError::Unknown) => {}
                Err(error) => return Err(self.0.stopped(error)),
            }
        }
        Err(Error::retry("too many messages at once from one person").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, second: i64) -> Timestamp {
        Timestamp::from_seconds(day * 86_400 + second)
    }

    #[test]
    fn minutes_and_days_begin_again() {
        let settings = Settings { recipients_per_day: 10, messages_per_minute: 2, ..Settings::default() };
        let one = Sent::default().and(4, at(100, 0), &settings).unwrap();
        let two = one.and(4, at(100, 59), &settings).unwrap();
        assert!(matches!(two.and(1, at(100, 59), &settings), Err(Refusal::TooFast { messages_per_minute: 2 })));
        let three = two.and(2, at(100, 60), &settings).unwrap();
        assert!(matches!(three.and(1, at(100, 86_399), &settings), Err(Refusal::TooManyToday { recipients_per_day: 10 })));
        assert_eq!(
            three.and(10, at(101, 0), &settings).unwrap(),
            Sent { day: 101, recipients: 10, minute: 101 * 1440, messages: 1, version: 4 }
        );
        assert!(matches!(Sent::default().and(11, at(100, 0), &settings), Err(Refusal::TooManyToday { .. })));
    }

    #[test]
    fn nothing_is_no_limit() {
        let settings = Settings { recipients_per_day: 0, messages_per_minute: 0, ..Settings::default() };
        let much = Sent { day: 100, recipients: u64::MAX, minute: 144_000, messages: u64::MAX, version: u64::MAX };
        assert_eq!(much.and(1000, at(100, 1), &settings).unwrap(), much);
    }
}
