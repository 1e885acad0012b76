//! The description of the API (OpenAPI 3.1): what every operation has in common is said here once.

use crate::gate::PERMISSION;
use crate::{Problem, Wrong};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, ContentBuilder, Info, OpenApi, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

/// What an id looks like.
const ID: &str = "^[0-7][0-9a-v]{25}$";
/// Parameters of paths that are ids.
const IDS: [&str; 10] = ["tenant", "person", "group", "mailbox", "deleted", "session", "app_password", "signup", "import", "export"];

/// The whole document, as JSON.
pub fn described(mut document: OpenApi) -> String {
    document.info = Info::new("Penfold", "1");
    document.info.description = Some(
        "Everything that administrators and people do with their organisation and their account. Sign in with `POST /v1/sessions` and send the \
         token as `Authorization: Bearer`. Errors are problems (RFC 9457); lists come page by page; a change may name the revision that it was \
         made for with `If-Match`; a POST with an `Idempotency-Key` is done once; `dry_run=true` changes nothing and says what would come of it."
            .to_owned(),
    );
    // Names of functions are those of their files, so each operation is named by its method and path.
    for (path, item) in &mut document.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for (operation, method) in operations.into_iter().zip(["get", "post", "put", "patch", "delete"]) {
            if let Some(operation) = operation {
                complete(operation, path, method);
            }
        }
    }
    let components = document.components.get_or_insert_with(|| ComponentsBuilder::new().build());
    components.schemas.insert("Problem".to_owned(), Problem::schema());
    components.schemas.insert(Wrong::name().into_owned(), Wrong::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The token of a session, or of a program.")).build();
    components.security_schemes.insert("bearer".to_owned(), RefOr::T(SecurityScheme::Http(bearer)));
    document.to_json().unwrap_or_default()
}

fn complete(operation: &mut Operation, path: &str, method: &str) {
    let needs = operation.extensions.as_ref().and_then(|all| all.get(PERMISSION)).and_then(|value| value.as_str()).unwrap_or_default();
    operation.operation_id = Some(name_of(path, method));
    let public = needs == "public";
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
        parameters.retain(|one| !matches!(one, RefOr::T(one) if one.name == name));
        parameters.push(RefOr::T(in_path(name)));
    }
    if method == "post" && !public {
        let text = "Sent again under the same key within a day, the request is not done again: its answer is the one that it got.";
        parameters.push(RefOr::T(in_header("Idempotency-Key", text)));
    }
    if judges_tags(path, method) {
        let text = "The ETag that was read: where it is another by now, nothing is changed.";
        parameters.push(RefOr::T(in_header("If-Match", text)));
    }
    let own_account = matches!(needs, "session" | "signed-in");
    if method != "get" && !public && !own_account {
        let schema = ObjectBuilder::new().schema_type(Type::Boolean).build();
        let builder = ParameterBuilder::new().name("dry_run").parameter_in(ParameterIn::Query).required(Required::False);
        let builder = builder.description(Some("Change nothing, and say what would come of it.")).schema(Some(Schema::Object(schema)));
        parameters.push(RefOr::T(builder.build()));
    }
    if !public {
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>("bearer", [])]);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = meaning(status).to_owned();
        }
    }
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let problem =
        ResponseBuilder::new().description("What is wrong, and what to do about it.").content("application/problem+json", content);
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem.build()));
    if method != "get" && !public && !own_account && !operation.responses.responses.contains_key("204") {
        let done = ResponseBuilder::new().description("With `dry_run`: it would be done.").build();
        operation.responses.responses.insert("204".to_owned(), RefOr::T(done));
    }
}

fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "It was made.",
        "202" => "It will be done.",
        "204" => "It was done.",
        _ => "As it is now.",
    }
}

/// Where a handler takes [`crate::IfMatch`].
fn judges_tags(path: &str, method: &str) -> bool {
    let whole = ["{tenant}", "{person}", "{group}", "{mailbox}"].iter().any(|end| path.ends_with(end));
    match method {
        "patch" => !path.starts_with("/v1/me/groups/"),
        "delete" => whole && !path.ends_with("{tenant}"),
        "put" => path.ends_with("/roles") || path.ends_with("/branding"),
        _ => false,
    }
}

/// `get_people`, `delete_people_by_person`, `post_domains_verify`.
fn name_of(path: &str, method: &str) -> String {
    let rest = path.strip_prefix("/v1/tenants/{tenant}/").or_else(|| path.strip_prefix("/v1/")).unwrap_or(path);
    let mut name = method.to_owned();
    // Beside what a tenant sets under the same word.
    if path.starts_with("/v1/branding") {
        name.push_str("_public");
    }
    for part in rest.split('/').filter(|part| !part.starts_with('{')) {
        name.push('_');
        name.push_str(&part.replace('-', "_"));
    }
    if let Some(last) = rest.rsplit('/').next().and_then(|part| part.strip_prefix('{')).and_then(|part| part.strip_suffix('}')) {
        name.push_str("_by_");
        name.push_str(last);
    }
    name
}

fn in_path(name: &str) -> Parameter {
    let object = ObjectBuilder::new().schema_type(Type::String);
    let pattern = IDS.contains(&name) && name != "session";
    let object = if pattern { object.pattern(Some(ID)) } else { object.min_length(Some(1)) };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(Schema::Object(object.build())))
        .build()
}

fn in_header(name: &str, text: &str) -> Parameter {
    let object = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255)).build();
    let builder = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::False);
    builder.description(Some(text)).schema(Some(Schema::Object(object))).build()
}
