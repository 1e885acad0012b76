use crate::Settings;

/// What one person or tenant may have of the edges; 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Fairness {
    pub submissions_per_person: u32,
    pub mail_in_per_minute: u32,
    pub mail_in_per_tenant: u32,
    pub imap_per_person: u32,
    pub imap_per_tenant: u32,
    pub imap_strangers_per_network: u32,
    pub imap_commands_per_minute: u32,
    /// `None`: as many as the machine can use.
    pub turns: Option<usize>,
}

impl Fairness {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            submissions_per_person: settings.submissions_per_person.unwrap_or(20),
            mail_in_per_minute: settings.mail_in_per_minute.unwrap_or(30_000),
            mail_in_per_tenant: settings.mail_in_per_tenant.unwrap_or(2500),
            imap_per_person: settings.imap_per_person.unwrap_or(40),
            imap_per_tenant: settings.imap_per_tenant.unwrap_or(10_000),
            imap_strangers_per_network: settings.imap_strangers_per_network.unwrap_or(100),
            imap_commands_per_minute: settings.imap_commands_per_minute.unwrap_or(12_000),
            turns: settings.turns,
        }
    }
}
