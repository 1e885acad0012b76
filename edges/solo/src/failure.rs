use std::process::ExitCode;

/// How the process ends where it cannot go on.
#[derive(Debug)]
pub enum Failure {
    /// A flag, file or setting that has to be changed: exit 2.
    Usage(String),
    /// Anything else: exit 1.
    Other(String),
}

impl Failure {
    pub fn report(self) -> ExitCode {
        let (text, code) = match self {
            Self::Usage(text) => (text, 2),
            Self::Other(text) => (text, 1),
        };
        eprintln!("penfold: {text}");
        ExitCode::from(code)
    }
}
