//! The credential report: every user of an account and the state of its credentials, as CSV.
//!
//! A report is made when it is asked for, and is good for four hours.
//!
//! Source: AWS IAM API reference, GenerateCredentialReport, GetCredentialReport; IAM User Guide,
//! "Generate credential reports": the columns and their words.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::access;
use super::kind::{Made as _, constants};
use crate::arn;
use crate::directory::{KeyStatus, Snapshot, Used, User, Uses};
use crate::id::{AccountId, UniqueId};
use crate::ops::fault::{Fault, FaultCode};
use crate::ops::{Context, Operation};
use crate::time::Timestamp;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Seconds for which a report is good.
const LIFETIME: i64 = 4 * 3600;
/// At most so many accounts' reports are kept; the oldest makes room.
const MAX_REPORTS: usize = 64;

const HEAD: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
    access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
    cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// The columns of both certificates, and the end of a line.
const NO_CERTIFICATES: &str = "false,N/A,false,N/A\n";

/// The reports that were made, by account.
#[derive(Default)]
pub struct Reports(Mutex<HashMap<AccountId, Report>>);

/// A report.
#[derive(Clone)]
pub struct Report {
    text: Arc<str>,
    made_at: Timestamp,
}

impl Reports {
    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, Report>> {
        // A panic while it was held leaves a report out at worst.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, account: AccountId, report: Report) {
        let mut reports = self.lock();
        if reports.len() >= MAX_REPORTS
            && !reports.contains_key(&account)
            && let Some(oldest) =
                reports.iter().min_by_key(|(_, it)| it.made_at).map(|(account, _)| *account)
        {
            reports.remove(&oldest);
        }
        reports.insert(account, report);
    }
}

/// The operation GenerateCredentialReport. While a report is good, no other is made.
pub struct GenerateCredentialReport;

impl Operation for GenerateCredentialReport {
    constants!(Read "GenerateCredentialReport");
    type Request = ();
    type Response = ();

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<(), Fault> {
        let services = context.services;
        let state = services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        let now = context.facts.now.floor_secs();
        let known = services.reports.lock().get(&account).map(|report| report.made_at);
        if known.is_none_or(|made_at| now.secs_since(made_at) >= LIFETIME) {
            let text = csv(&state, account, services.directory.uses());
            services.reports.keep(account, Report { text: text.into(), made_at: now });
        }
        Ok(())
    }

    fn write((): &(), xml: &mut Xml) {
        xml.text("State", "COMPLETE");
    }
}

/// The operation GetCredentialReport.
pub struct GetCredentialReport;

impl Operation for GetCredentialReport {
    constants!(Read "GetCredentialReport");
    type Request = ();
    type Response = Report;

    fn read(_: &Params) -> Result<(), Fault> {
        Ok(())
    }

    fn describe((): &()) -> Value {
        Value::Null
    }

    async fn execute(context: &Context<'_>, (): ()) -> Result<Report, Fault> {
        let services = context.services;
        let state = services.directory.snapshot();
        let account = access::in_account::<Self>(context, &state)?;
        let report = services.reports.lock().get(&account).cloned();
        let report = report.ok_or_else(|| {
            Fault::new(FaultCode::ReportNotPresent, "The credential report is not present.")
        })?;
        if context.facts.now.secs_since(report.made_at) >= LIFETIME {
            return Err(Fault::new(
                FaultCode::ReportExpired,
                "The credential report has expired: generate another.",
            ));
        }
        Ok(report)
    }

    fn write(response: &Report, xml: &mut Xml) {
        xml.text("Content", STANDARD.encode(response.text.as_bytes()));
        xml.text("ReportFormat", "text/csv");
        xml.time("GeneratedTime", response.made_at);
    }
}

fn csv(state: &Snapshot, account: AccountId, uses: &Uses) -> String {
    let mut out = format!("{HEAD}\n");
    let made = state.account(account).map(|it| time(it.created_at)).unwrap_or_default();
    let root = arn::account_root(account);
    let _ = write!(
        out,
        "<root_account>,{root},{made},not_supported,N/A,not_supported,not_supported,false,"
    );
    keys_of(&mut out, state, UniqueId::of_root(account), uses);
    out.push_str(NO_CERTIFICATES);
    for user in User::all(state, account) {
        // Names and paths hold commas; ARNs with them.
        let (name, arn) = (quoted(&user.name), quoted(&user.arn()));
        let made = time(user.created_at);
        let mfa = state.mfa_devices_of_user(user.id).next().is_some();
        let _ = write!(out, "{name},{arn},{made},false,N/A,N/A,N/A,{mfa},");
        keys_of(&mut out, state, user.id, uses);
        out.push_str(NO_CERTIFICATES);
    }
    out
}

/// The columns of both keys.
fn keys_of(out: &mut String, state: &Snapshot, owner: UniqueId, uses: &Uses) {
    let none = "false,N/A,N/A,N/A,N/A";
    let mut keys = state.access_keys_of(owner).collect::<Vec<_>>();
    keys.sort_by_key(|key| (key.created_at, key.id));
    for at in 0..2 {
        let Some(key) = keys.get(at) else {
            let _ = write!(out, "{none},");
            continue;
        };
        let active = key.status == KeyStatus::Active;
        let _ = write!(out, "{active},{},", time(key.created_at));
        let _ = match uses.last(Used::Key(key.id)) {
            Some(last) => {
                let (service, region) = (quoted(&last.service), quoted(&last.region));
                write!(out, "{},{region},{service},", time(last.at.floor_secs()))
            }
            None => write!(out, "N/A,N/A,N/A,"),
        };
    }
}

fn time(at: Timestamp) -> String {
    at.to_rfc3339().replace('Z', "+00:00")
}

/// A field of CSV. Names of services and regions are a signer's own words: what a spreadsheet
/// would take for a formula is not left to it.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@']);
    let quote = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\n', '\r']) {
        return format!("\"{quote}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
