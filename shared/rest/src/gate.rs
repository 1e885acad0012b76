//! Before any handler: who asks, how often they did, and whether the operation is for them. What it needs is read off its own
//! description, so what is documented is what is enforced.

use crate::limits::{Left, Limits};
use crate::{Call, Peer, Problem, once};
use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use penfold_directory::{Caller, Directory, Permission, SessionKind, TenantStatus};
use penfold_types::{PrincipalId, TenantId};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What every operation has at hand.
#[derive(Clone)]
pub struct Api {
    pub directory: Directory,
    pub limits: Limits,
}

/// What an operation needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Public,
    SignedIn,
    /// A person who signed in: no token of a program, which might so come to more than it was made for.
    Session,
    Operator,
    Permission(Permission),
}

impl Need {
    /// As it stands in the description: `public`, `signed-in`, `session`, `operator`, or a permission.
    fn read(text: &str) -> Option<Self> {
        match text {
            "public" => Some(Self::Public),
            "signed-in" => Some(Self::SignedIn),
            "session" => Some(Self::Session),
            "operator" => Some(Self::Operator),
            text => serde_json::from_value(serde_json::Value::String(text.to_owned())).ok().map(Self::Permission),
        }
    }
}

pub const PERMISSION: &str = "x-permission";

struct Gate {
    api: Api,
    needs: HashMap<(String, Method), Need>,
}

/// The routes behind the gate, and their description.
pub fn guarded(api: Api, routes: OpenApiRouter) -> (Router, OpenApi) {
    let (router, document) = routes.split_for_parts();
    let gate = Arc::new(Gate { api, needs: needs(&document) });
    (router.route_layer(from_fn_with_state(gate, judge)), document)
}

fn needs(document: &OpenApi) -> HashMap<(String, Method), Need> {
    let mut found = HashMap::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            (Method::GET, &item.get),
            (Method::POST, &item.post),
            (Method::PUT, &item.put),
            (Method::PATCH, &item.patch),
            (Method::DELETE, &item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let text = operation.extensions.as_ref().and_then(|extensions| extensions.get(PERMISSION)).and_then(|value| value.as_str());
            if let Some(need) = text.and_then(Need::read) {
                found.insert((path.clone(), method), need);
            }
        }
    }
    found
}

async fn judge(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let mut told = None;
    let mut answer = match gate.pass(request, next, &mut told).await {
        Ok(answer) => answer,
        Err(problem) => problem.into_response(),
    };
    if let Some(left) = told {
        left.tell(answer.headers_mut());
    }
    let headers = answer.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-store"));
    answer
}

impl Gate {
    async fn pass(&self, request: Request, next: Next, told: &mut Option<Left>) -> Result<Response, Problem> {
        let (mut parts, body) = request.into_parts();
        let path = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        let need = self.need(path, method)?;
        let peer = parts.extensions.get::<Peer>().copied().unwrap_or(Peer::UNKNOWN);
        let token = bearer(&parts.headers);
        let caller = match (need, token) {
            (Need::Public, _) | (_, None) => {
                self.count(told, "network", &format!("network {}", peer.network()), self.api.limits.network)?;
                None
            }
            (_, Some(token)) => Some(self.caller(token, peer, told).await?),
        };
        let mut call = match caller {
            None if need == Need::Public => Call::public(&self.api),
            None => return Err(Problem::new(StatusCode::UNAUTHORIZED, "Sign in: send Authorization: Bearer with the token of a session.")),
            Some(caller) => {
                self.count(told, "caller", &caller.key(), self.api.limits.caller)?;
                if let Some(tenant) = caller.tenant() {
                    let left = self.api.limits.take("tenant", &format!("tenant {tenant}"), self.api.limits.tenant);
                    if left.refused {
                        return Err(refused(&left, told));
                    }
                }
                Call::by(&self.api, caller, dry_run(&parts.uri)?)
            }
        };
        if need == Need::Session && call.person()?.1.kind != SessionKind::Session {
            return Err(Problem::new(StatusCode::FORBIDDEN, "This needs a session: sign in with the password."));
        }
        if call.dry_run && matches!(need, Need::Session | Need::SignedIn) {
            return Err(Problem::field("dry_run", "what people do with their own account is not rehearsed"));
        }
        if need == Need::Operator && !call.caller()?.is_operator() {
            return Err(Problem::new(StatusCode::FORBIDDEN, "This is the operator's."));
        }
        if let Need::Permission(permission) = need {
            call = self.permitted(call, permission, &mut parts).await?;
        }
        let once = once::Once::of(&call, &parts)?;
        parts.extensions.insert(call);
        let request = Request::from_parts(parts, body);
        match once {
            None => Ok(next.run(request).await),
            Some(once) => once.run(request, next).await,
        }
    }

    /// What does not say whom it is for is for nobody.
    fn need(&self, path: String, method: Method) -> Result<Need, Problem> {
        let key = (path, method);
        if let Some(need) = self.needs.get(&key) {
            return Ok(*need);
        }
        let known = self.needs.keys().any(|(path, _)| *path == key.0);
        Err(if known { Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This is not done here.") } else { Problem::not_found() })
    }

    async fn caller(&self, token: &str, peer: Peer, told: &mut Option<Left>) -> Result<Caller, Problem> {
        match self.api.directory.authenticate(token).await {
            Ok(caller) => Ok(caller),
            Err(error) => {
                // Whoever tries tokens is slowed like anybody who has not signed in.
                self.count(told, "network", &format!("network {}", peer.network()), self.api.limits.network)?;
                Err(error.into())
            }
        }
    }

    fn count(&self, told: &mut Option<Left>, name: &'static str, key: &str, rate: crate::Rate) -> Result<(), Problem> {
        let left = self.api.limits.take(name, key, rate);
        if left.refused {
            return Err(refused(&left, told));
        }
        *told = Some(left);
        Ok(())
    }

    /// The tenant and whoever else the path names are judged here, so that no handler can forget it.
    async fn permitted(&self, call: Call, permission: Permission, parts: &mut axum::http::request::Parts) -> Result<Call, Problem> {
        let named = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Problem::not_found())?;
        let find = |name: &str| named.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        let caller = call.caller()?.clone();
        let unknown = || Problem::new(StatusCode::NOT_FOUND, "There is no such tenant.");
        let tenant: TenantId = find("tenant").and_then(|text| text.parse().ok()).ok_or_else(unknown)?;
        let reach = caller.reach(permission, tenant)?;
        let status = self.api.directory.tenant_status(tenant).await?;
        if status == TenantStatus::Deleting {
            return Err(unknown());
        }
        if !status.is_open() && !permission.is_for_closed_tenants() && !caller.is_operator() {
            return Err(Problem::new(StatusCode::FORBIDDEN, "The tenant is suspended or closed: nothing is changed in it.").of("suspended"));
        }
        let subject = ["person", "group", "mailbox"].iter().find_map(|name| find(name));
        let subject: Option<PrincipalId> = match subject {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| Problem::not_found())?),
        };
        if let Some(subject) = subject {
            self.api.directory.allow(&caller, permission, tenant, subject).await?;
        }
        Ok(call.judged(tenant, reach, permission, subject))
    }
}

fn refused(left: &Left, told: &mut Option<Left>) -> Problem {
    *told = Some(left.clone());
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests; come back later.").after(left.wait)
}

fn bearer(headers: &axum::http::HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `dry_run=true` in the query.
fn dry_run(uri: &axum::http::Uri) -> Result<bool, Problem> {
    let found = uri.query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("dry_run="));
    match found {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::field("dry_run", "true or false")),
    }
}
