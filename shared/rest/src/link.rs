use crate::When;
use penfold_directory::{Link, Service, Shows};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What of a calendar is shown: when somebody is busy; titles and places beside that; all but what is private.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Shows)]
pub enum ShowsView {
    Times,
    Titles,
    Everything,
}

impl From<Shows> for ShowsView {
    fn from(shows: Shows) -> Self {
        match shows {
            Shows::Times => Self::Times,
            Shows::Titles => Self::Titles,
            Shows::Everything => Self::Everything,
        }
    }
}

impl From<ShowsView> for Shows {
    fn from(shows: ShowsView) -> Self {
        match shows {
            ShowsView::Times => Self::Times,
            ShowsView::Titles => Self::Titles,
            ShowsView::Everything => Self::Everything,
        }
    }
}

/// A link by which a calendar is read without signing in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub struct LinkView {
    id: String,
    /// The calendar.
    collection: String,
    name: String,
    shows: ShowsView,
    created: When,
    /// The last day on which it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<When>,
    /// Whoever has it reads the calendar; for its owner alone. Relative where the service has no HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl LinkView {
    /// Without its URL.
    pub fn of(link: Link) -> Self {
        Self {
            id: link.id.to_string(),
            collection: link.folder.to_string(),
            name: link.name,
            shows: link.shows.into(),
            created: When(link.created),
            used: link.used.map(When),
            url: None,
        }
    }

    /// As its owner sees it.
    pub fn with_url(link: Link, service: Option<&Service>) -> Self {
        let path = format!("/published/{}.ics", link.text);
        let url = service.and_then(|service| service.url(&path)).unwrap_or(path);
        Self { url: Some(url), ..Self::of(link) }
    }
}
