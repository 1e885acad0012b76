//! What people do with their own account over HTTP: signing a company up, signing in, sessions, passwords, the second factor.
//!
//! | file | what |
//! |---|---|
//! | sign_up.rs | a company, its domain and its first administrator |
//! | sessions.rs | signing in, and where one is signed in |
//! | me.rs | who am I; the password |
//! | directory.rs | whom one may write to; one's own photo |
//! | second_factor.rs | codes beside the password |
//! | app_passwords.rs, tokens.rs | for programs |
//! | groups.rs | groups that one is in, could join, or owns |
//! | resets.rs | a forgotten password |
//! | collections.rs, links.rs | one's own calendars and the like; links by which they are read without signing in |
//! | subscriptions.rs | calendars from elsewhere |
//! | imports.rs, exports.rs | one's own calendars and address books, from files and as files |
//! | branding.rs | how a page looks on which people of a domain sign in |
//! | letter.rs | messages of the service itself |
//! | whoami.rs | the oldest of them: who am I, by Basic sign-in |

mod app_passwords;
mod branding;
mod collections;
mod directory;
mod exports;
mod groups;
mod imports;
mod letter;
mod links;
mod me;
mod resets;
mod second_factor;
mod sessions;
mod sign_up;
mod subscriptions;
#[cfg(test)]
mod tests;
mod tokens;
mod whoami;

use axum::Router;
use penfold_domains::Domains;
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use penfold_rest::{Api, guarded};
use penfold_transfers::Transfers;
use penfold_transport::Transport;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the operations work on.
#[derive(Clone)]
pub struct Accounts {
    api: Api,
    world: World,
    domains: Domains,
    mailboxes: Mailboxes,
    transfers: Transfers,
    /// By which the service writes to people.
    transport: Transport,
}

impl Accounts {
    pub fn new(api: Api, world: &World, mailboxes: &Mailboxes, transport: &Transport) -> Self {
        let transfers = Transfers::new(world, &api.directory, mailboxes);
        let domains = Domains::new(world, api.directory.clone()).acting_as("sign-up");
        Self { api, world: world.named("account"), domains, mailboxes: mailboxes.named("account"), transfers, transport: transport.clone() }
    }
}

/// The routes, and their description.
pub fn router(accounts: Accounts) -> (Router, OpenApi) {
    let api = accounts.api.clone();
    let whoami = whoami::router(api.directory.clone());
    let routes = OpenApiRouter::new()
        .routes(routes!(sign_up::begin))
        .routes(routes!(sign_up::show))
        .routes(routes!(sign_up::verify))
        .routes(routes!(sessions::list, sessions::open))
        .routes(routes!(sessions::close))
        .routes(routes!(me::show, me::change))
        .routes(routes!(me::set_password))
        .routes(routes!(directory::search))
        .routes(routes!(directory::show_photo, directory::set_photo, directory::remove_photo))
        .routes(routes!(second_factor::begin))
        .routes(routes!(second_factor::end))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(app_passwords::list, app_passwords::create))
        .routes(routes!(app_passwords::remove))
        .routes(routes!(tokens::create))
        .routes(routes!(collections::list))
        .routes(routes!(links::list, links::create))
        .routes(routes!(links::remove))
        .routes(routes!(imports::list, imports::order))
        .routes(routes!(imports::show, imports::remove))
        .routes(routes!(imports::upload))
        .routes(routes!(imports::problems))
        .routes(routes!(imports::cancel))
        .routes(routes!(exports::list, exports::order))
        .routes(routes!(exports::show, exports::remove))
        .routes(routes!(exports::download))
        .routes(routes!(exports::problems))
        .routes(routes!(exports::cancel))
        .routes(routes!(subscriptions::list, subscriptions::create))
        .routes(routes!(subscriptions::show, subscriptions::change, subscriptions::remove))
        .routes(routes!(subscriptions::refresh))
        .routes(routes!(branding::show))
        .routes(routes!(branding::show_logo))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show, groups::change))
        .routes(routes!(groups::join))
        .routes(routes!(groups::leave))
        .routes(routes!(groups::members, groups::add_members))
        .routes(routes!(groups::remove_member))
        .routes(routes!(groups::requests))
        .routes(routes!(groups::answer))
        .routes(routes!(resets::begin))
        .routes(routes!(resets::finish))
        .with_state(accounts);
    let (router, document) = guarded(api, routes);
    (router.merge(whoami), document)
}
