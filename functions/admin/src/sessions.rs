use axum::extract::Path;
use axum::http::StatusCode;
use penfold_ports::Account;
use penfold_rest::{Call, Listed, Problem, SessionView};

fn account(call: &Call) -> Result<Account, Problem> {
    Ok(Account { tenant: call.tenant()?, principal: call.subject()? })
}

/// Where a person is signed in, and the tokens of their programs; the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/sessions", tag = "sessions",
    extensions(("x-permission" = json!("session-read"))), responses((status = 200, body = Listed<SessionView>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<SessionView>>, Problem> {
    let all = call.directory().sessions(account(&call)?).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(SessionView::from).collect())))
}

/// Ends all sessions of a person; tokens of programs stay.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/sessions", tag = "sessions",
    extensions(("x-permission" = json!("session-write"))), responses((status = 204)))]
pub(crate) async fn close_all(call: Call) -> Result<StatusCode, Problem> {
    let account = account(&call)?;
    if !call.dry_run {
        call.operator()?.note(account.tenant, "session.close", &account.principal.to_string(), "all").await?;
        call.directory().close_sessions(account, None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one session, or takes a token back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/sessions/{session}", tag = "sessions",
    extensions(("x-permission" = json!("session-write"))), responses((status = 204)))]
pub(crate) async fn close(call: Call, Path((_, _, session)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let (account, session) = (account(&call)?, session.parse().map_err(|_| Problem::not_found())?);
    if !call.dry_run {
        call.operator()?.note(account.tenant, "session.close", &account.principal.to_string(), &format!("{session}")).await?;
        call.directory().close_session(account, session).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
