use crate::text;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{Attribute, NewPerson as New, PersonChange as Change, PersonInfo, PrincipalKind, Profile, Quota, Status};
use penfold_rest::{Body, Call, IfMatch, Listed, NewProfile, Paging, Params, Problem, ProfileView, When, created, tagged};
use penfold_types::{Address, PrincipalId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Somebody with a mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    id: String,
    address: String,
    name: String,
    status: PersonStatus,
    /// Further addresses; only where one person is shown.
    aliases: Vec<String>,
    /// Octets that the mailbox may hold.
    quota: u64,
    /// The quota is this person's own, not the default.
    quota_is_own: bool,
    /// What they send is kept in Sent by the server.
    sent_copy: bool,
    /// A password alone opens nothing.
    two_factor: bool,
    /// Where a forgotten password is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_address: Option<String>,
    /// In no search and no address book of the organisation.
    hidden: bool,
    profile: ProfileView,
    created: When,
    revision: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PersonStatus {
    Active,
    /// Mail still comes in; nobody signs in.
    Suspended,
}

impl From<PersonInfo> for Person {
    fn from(info: PersonInfo) -> Self {
        Self {
            id: info.id.to_string(),
            address: info.address.to_string(),
            name: info.name,
            status: if info.status == Status::Active { PersonStatus::Active } else { PersonStatus::Suspended },
            aliases: info.aliases.iter().map(Address::to_string).collect(),
            quota: info.quota,
            quota_is_own: info.quota_is_own,
            sent_copy: info.sent_copy,
            two_factor: info.two_factor,
            recovery_address: info.recovery.map(|address| address.to_string()),
            hidden: info.hidden,
            profile: info.profile.into(),
            created: When(info.created),
            revision: info.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "new@example.test", "name": "New Person", "password": "correct horse battery",
    "profile": { "title": "Clerk", "department": "Sales" } }))]
pub(crate) struct NewPerson {
    /// In a proved domain of the tenant.
    address: String,
    name: String,
    /// Without one, nobody signs in until one is set.
    password: Option<String>,
    /// Octets.
    quota: Option<u64>,
    #[serde(default, deserialize_with = "penfold_rest::object")]
    profile: Option<NewProfile>,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Ann Example", "quota": 10_000_000_000u64, "profile": { "department": "Sales", "office": null } }))]
pub(crate) struct PersonChange {
    name: Option<String>,
    status: Option<PersonStatus>,
    /// Octets; null for the default.
    #[serde(default, deserialize_with = "text::nullable")]
    #[schema(value_type = Option<u64>)]
    quota: Option<Option<u64>>,
    sent_copy: Option<bool>,
    /// An address elsewhere; null for none.
    #[serde(default, deserialize_with = "text::nullable")]
    #[schema(value_type = Option<String>)]
    recovery_address: Option<Option<String>>,
    /// In no search and no address book of the organisation.
    hidden: Option<bool>,
    #[serde(default, deserialize_with = "penfold_rest::object")]
    profile: Option<NewProfile>,
}

/// Which people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Items of a page, 1 to 200; 50 where it is absent. A page may hold fewer, and the next one more.
    limit: Option<usize>,
    /// From the page before.
    cursor: Option<String>,
    /// In the name or the address, in any case of letters.
    q: Option<String>,
    /// With their primary address in it.
    domain: Option<String>,
    status: Option<PersonStatus>,
    // Of the profile, in any case of letters.
    title: Option<String>,
    department: Option<String>,
    company: Option<String>,
    office: Option<String>,
    city: Option<String>,
    country: Option<String>,
    employee_id: Option<String>,
    employee_type: Option<String>,
    /// The id of somebody who manages them.
    manager: Option<String>,
}

impl Which {
    /// What the profile must say.
    fn profile(&self) -> Result<impl Fn(&Profile) -> bool + use<>, Problem> {
        let texts = [
            (Attribute::Title, &self.title),
            (Attribute::Department, &self.department),
            (Attribute::Company, &self.company),
            (Attribute::Office, &self.office),
            (Attribute::City, &self.city),
            (Attribute::Country, &self.country),
            (Attribute::EmployeeId, &self.employee_id),
            (Attribute::EmployeeType, &self.employee_type),
        ];
        let texts: Vec<_> = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?.to_lowercase()))).collect();
        let wrong = |_| Problem::field("manager", "the id of a person");
        let manager = self.manager.as_deref().map(|id| id.parse::<PrincipalId>().map_err(wrong)).transpose()?;
        Ok(move |profile: &Profile| {
            texts.iter().all(|(name, wanted)| profile.get(*name).is_some_and(|text| text.to_lowercase() == *wanted))
                && manager.is_none_or(|manager| profile.manager == Some(manager))
        })
    }
}

/// People, by address.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people", tag = "people", params(Which), extensions(("x-permission" = json!("person-read"))),
    responses((status = 200, body = Listed<Person>)))]
pub(crate) async fn list(call: Call, Params(which): Params<Which>) -> Result<axum::Json<Listed<Person>>, Problem> {
    let paging = Paging::new(which.limit, which.cursor.as_deref())?;
    let tenant = call.tenant()?;
    let domain = which.domain.as_deref().map(|domain| text::domain("domain", domain)).transpose()?;
    let (q, profile) = (which.q.as_deref().map(str::to_lowercase), which.profile()?);
    let page = call.operator()?.people(tenant, paging.after_text()?, paging.limit).await?;
    let ids: Vec<_> = page.items.iter().map(|person| person.id).collect();
    let within = call.directory().within(call.reach(), tenant, &ids).await?;
    let fits = |person: &PersonInfo| {
        let found = |q: &String| person.name.to_lowercase().contains(q) || person.address.key().contains(q);
        within.contains(&person.id)
            && profile(&person.profile)
            && q.as_ref().is_none_or(found)
            && domain.as_ref().is_none_or(|domain| person.address.domain() == domain)
            && which.status.is_none_or(|status| (status == PersonStatus::Active) == (person.status == Status::Active))
    };
    Ok(axum::Json(Listed::page(page.items.into_iter().filter(fits).map(Person::from).collect(), page.next)))
}

/// Makes a person with a mailbox.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/people", tag = "people", request_body = NewPerson,
    extensions(("x-permission" = json!("person-write"))), responses((status = 201, body = Person)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewPerson>) -> Result<Response, Problem> {
    let address = text::address("/address", &new.address)?;
    call.allow_new(&address)?;
    let tenant = call.tenant()?;
    let operator = call.operator()?;
    operator.address_domain(tenant, address.domain()).await?;
    text::name("/name", &new.name)?;
    if let Some(password) = &new.password {
        operator.judge_password(password, &address, &new.name).map_err(|error| Problem::field("/password", error.text()))?;
    }
    let profile = new.profile.unwrap_or_default().read("/profile")?;
    call.directory().allow_new_profile(call.caller()?, tenant, PrincipalKind::Person, &address, &profile).await?;
    let new = New { address: address.clone(), name: new.name, password: new.password, quota: new.quota };
    operator.create_person_with(&new, &profile).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let person = operator.person(&address).await?;
    Ok(created(&format!("/v1/tenants/{tenant}/people/{}", person.id), person.revision, Person::from(person)))
}

async fn find(call: &Call) -> Result<PersonInfo, Problem> {
    let address = call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Person).await?;
    Ok(call.operator()?.person(&address).await?)
}

/// One person.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}", tag = "people", extensions(("x-permission" = json!("person-read"))),
    responses((status = 200, body = Person)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let person = find(&call).await?;
    Ok(tagged(person.revision, Person::from(person)))
}

/// Changes a person.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/people/{person}", tag = "people", request_body = PersonChange,
    extensions(("x-permission" = json!("person-write"))), responses((status = 200, body = Person)))]
pub(crate) async fn change(call: Call, wanted: IfMatch, Body(change): Body<PersonChange>) -> Result<Response, Problem> {
    let person = find(&call).await?;
    let expected = wanted.judge(person.revision)?;
    change.name.as_deref().map_or(Ok(()), |name| text::name("/name", name))?;
    let recovery = match change.recovery_address {
        None => None,
        Some(None) => Some(None),
        Some(Some(given)) => Some(Some(text::address("/recovery_address", &given)?)),
    };
    let profile = change.profile.unwrap_or_default().read("/profile")?;
    call.directory().allow_profile(call.caller()?, call.tenant()?, person.id, &profile).await?;
    let change = Change {
        name: change.name,
        quota: change.quota.map(|quota| quota.map_or(Quota::Default, Quota::Bytes)),
        status: change.status.map(|status| if status == PersonStatus::Active { Status::Active } else { Status::Suspended }),
        sent_copy: change.sent_copy,
        recovery,
        hidden: change.hidden,
        profile,
    };
    let changed = call.operator()?.expecting(expected).update_person(&person.address, &change).await;
    let person = changed.map_err(|error| wanted.explain(error))?;
    Ok(tagged(person.revision, Person::from(person)))
}

/// Deletes a person: the addresses are free at once; the mailbox is kept for 30 days and can be restored.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}", tag = "people", extensions(("x-permission" = json!("person-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, wanted: IfMatch) -> Result<StatusCode, Problem> {
    let person = find(&call).await?;
    let expected = wanted.judge(person.revision)?;
    call.operator()?.expecting(expected).delete_person(&person.address).await.map_err(|error| wanted.explain(error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// One more address.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "another@example.test" }))]
pub(crate) struct Alias {
    address: String,
}

/// Further addresses of a person.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/aliases", tag = "aliases",
    extensions(("x-permission" = json!("person-read"))), responses((status = 200, body = Listed<Alias>)))]
pub(crate) async fn aliases(call: Call) -> Result<axum::Json<Listed<Alias>>, Problem> {
    let person = find(&call).await?;
    let items = person.aliases.iter().map(|address| Alias { address: address.to_string() }).collect();
    Ok(axum::Json(Listed::whole(items)))
}

/// Gives a person one more address, in any proved domain of the tenant.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/people/{person}/aliases", tag = "aliases", request_body = Alias,
    extensions(("x-permission" = json!("person-write"))), responses((status = 201, body = Alias)))]
pub(crate) async fn add_alias(call: Call, Body(new): Body<Alias>) -> Result<Response, Problem> {
    let alias = text::address("/address", &new.address)?;
    call.allow_new(&alias)?;
    let tenant = call.tenant()?;
    let operator = call.operator()?;
    operator.address_domain(tenant, alias.domain()).await?;
    let person = find(&call).await?;
    operator.add_alias(&person.address, &alias).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = format!("/v1/tenants/{tenant}/people/{}/aliases/{alias}", person.id);
    Ok(created(&place, person.revision, Alias { address: alias.to_string() }))
}

/// Takes an address away.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/aliases/{address}", tag = "aliases",
    extensions(("x-permission" = json!("person-write"))), responses((status = 204)))]
pub(crate) async fn remove_alias(call: Call, Path((_, _, alias)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let alias: Address = alias.parse().map_err(|_| Problem::not_found())?;
    let person = find(&call).await?;
    if !person.aliases.contains(&alias) {
        return Err(Problem::not_found());
    }
    call.operator()?.remove_alias(&person.address, &alias).await?;
    Ok(StatusCode::NO_CONTENT)
}
