//! What administrators do, over HTTP: one file for each resource. Who may do what stands in the description of each operation
//! (`x-permission`), and is judged before a handler runs (`penfold_rest::guarded`).

mod app_passwords;
mod audit;
mod branding;
mod contacts;
mod delegates;
mod deleted;
mod domains;
mod exports;
mod folder_rights;
mod folders;
mod groups;
mod imports;
mod keys;
mod members;
mod passwords;
mod people;
mod photos;
mod publishing;
mod queue;
mod reports;
mod roles;
mod sessions;
mod shared;
mod tenants;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod transfers;

use axum::Router;
use penfold_domains::Domains;
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use penfold_rest::{Api, guarded};
use penfold_transfers::Transfers;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the operations work on.
#[derive(Clone)]
pub struct Admin {
    api: Api,
    world: World,
    domains: Domains,
    transfers: Transfers,
    mailboxes: Mailboxes,
}

impl Admin {
    pub fn new(api: Api, world: &World, mailboxes: &Mailboxes) -> Self {
        let domains = Domains::new(world, api.directory.clone());
        let transfers = Transfers::new(world, &api.directory, mailboxes);
        Self { api, world: world.named("admin"), domains, transfers, mailboxes: mailboxes.named("admin") }
    }
}

/// The routes, and their description.
pub fn router(admin: Admin) -> (Router, OpenApi) {
    let api = admin.api.clone();
    let routes = OpenApiRouter::new()
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::show, tenants::change, tenants::remove))
        .routes(routes!(tenants::rotate_key))
        .routes(routes!(branding::show, branding::set))
        .routes(routes!(branding::show_logo, branding::set_logo, branding::remove_logo))
        .routes(routes!(publishing::show, publishing::set))
        .routes(routes!(publishing::links))
        .routes(routes!(publishing::remove))
        .routes(routes!(domains::list, domains::add))
        .routes(routes!(domains::show, domains::remove))
        .routes(routes!(domains::verify))
        .routes(routes!(domains::records))
        .routes(routes!(domains::check))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::show, people::change, people::remove))
        .routes(routes!(people::aliases, people::add_alias))
        .routes(routes!(people::remove_alias))
        .routes(routes!(photos::show, photos::set, photos::remove))
        .routes(routes!(contacts::list, contacts::create))
        .routes(routes!(contacts::show, contacts::change, contacts::remove))
        .routes(routes!(passwords::set))
        .routes(routes!(passwords::end_second_factor))
        .routes(routes!(app_passwords::list, app_passwords::create))
        .routes(routes!(app_passwords::remove))
        .routes(routes!(sessions::list, sessions::close_all))
        .routes(routes!(sessions::close))
        .routes(routes!(roles::show, roles::set))
        .routes(routes!(deleted::list))
        .routes(routes!(deleted::restore))
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::show, groups::change, groups::remove))
        .routes(routes!(members::of_group, members::add_to_group))
        .routes(routes!(members::remove_from_group))
        .routes(routes!(groups::requests))
        .routes(routes!(groups::answer))
        .routes(routes!(shared::list, shared::create))
        .routes(routes!(shared::show, shared::change, shared::remove))
        .routes(routes!(members::of_shared, members::add_to_shared))
        .routes(routes!(members::remove_from_shared))
        .routes(routes!(delegates::of_person))
        .routes(routes!(delegates::set_for_person, delegates::remove_from_person))
        .routes(routes!(delegates::of_shared))
        .routes(routes!(delegates::set_for_shared, delegates::remove_from_shared))
        .routes(routes!(folders::of_person))
        .routes(routes!(folder_rights::of_person))
        .routes(routes!(folder_rights::set_for_person, folder_rights::remove_from_person))
        .routes(routes!(folders::of_shared))
        .routes(routes!(folder_rights::of_shared))
        .routes(routes!(folder_rights::set_for_shared, folder_rights::remove_from_shared))
        .routes(routes!(queue::list))
        .routes(routes!(queue::show, queue::drop))
        .routes(routes!(queue::retry))
        .routes(routes!(queue::hold))
        .routes(routes!(trace::search))
        .routes(routes!(trace::follow))
        .routes(routes!(reports::dmarc))
        .routes(routes!(reports::tls))
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
        .routes(routes!(audit::list))
        .routes(routes!(audit::verify))
        .with_state(admin);
    guarded(api, routes)
}
