//! RCPT: RFC 5321 §4.1.1.3.

use super::{Answer, Ask, Pending, Recipient, Session, Step};
use crate::config::Role;
use crate::grammar::parameters::{self, RcptParameters};
use crate::grammar::path::{self, Path};
use crate::reply;

impl<R> Session<R> {
    pub(super) fn rcpt(&mut self, argument: &str) -> Option<Step<R>> {
        let Some(draft) = &self.draft else { return self.fail(&reply::MAIL_FIRST) };
        if draft.chunks.is_some() || draft.failed.is_some() {
            return self.fail(&reply::BDAT_BEGUN);
        }
        let Some((to, rest)) = path::forward(argument, &self.config.hostname) else { return self.fail(&reply::BAD_RECIPIENT) };
        if to.is_null() {
            return self.fail(&reply::BAD_RECIPIENT);
        }
        let parameters = match parameters::rcpt(rest) {
            Ok(parameters) => parameters,
            Err(reply) => return self.fail(&reply),
        };
        // RFC 6531 §3.5.
        if to.is_international() && !draft.parameters.utf8 {
            return self.fail(&reply::NEEDS_UTF8);
        }
        // RFC 5321 §4.5.3.1.10.
        let limit = if self.role == Role::Submission { self.config.recipients_submitted } else { self.config.recipients };
        if draft.recipients.len() >= limit {
            self.say(&reply::TOO_MANY_RECIPIENTS);
            return None;
        }
        let from = draft.from.clone();
        self.ask(Ask::Rcpt { from, to: to.clone() }, Pending::Rcpt { path: to, parameters })
    }

    pub(super) fn rcpt_answered(&mut self, path: Path, parameters: RcptParameters, answer: Answer<R>) {
        match (answer, &mut self.draft) {
            (Answer::Recipient(resolved), Some(draft)) => {
                draft.recipients.push(Recipient { path, parameters, resolved });
                self.say(&reply::RECIPIENT_OK);
            }
            (Answer::No(refusal), _) if refusal.status == "5.1.1" => {
                self.say(&refusal);
                self.unknown += 1;
                if self.unknown >= self.config.unknown {
                    self.close(&reply::ENOUGH_UNKNOWN);
                }
            }
            (other, _) => self.refuse(&other),
        }
    }
}
