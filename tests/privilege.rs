//! What the two programs asked of the API server while everything else was tested, against what their roles grant: not
//! one verb too few, and not one too many.
//!
//! Runs last, on the same bed: the audit log has to have seen all of it.

use anyhow::{Result, ensure};
use tests::audit::{AuditEntry, entries, grants};
use tests::bed::Bed;

const PROGRAMS: [(&str, &str); 2] =
    [("announcer.yaml", "kube-vip"), ("cloud-provider.yaml", "kube-vip-cloud-controller")];

#[tokio::test]
async fn nothing_was_asked_that_no_role_grants() -> Result<()> {
    let bed = Bed::standing()?;
    for (file, service_account) in PROGRAMS {
        let asked: Vec<_> = entries(bed.audit_log())?
            .into_iter()
            .filter(|it| it.is_from(service_account))
            .collect();
        ensure!(
            !asked.is_empty(),
            "{service_account} asked for nothing at all: did the cluster tests run on this bed?"
        );
        let granted = grants(file, service_account).await?;
        // An API server that has just started refuses for a moment what the roles grant: it has not read them yet.
        let is_granted = |entry: &&AuditEntry| granted.iter().any(|grant| grant.covers(entry));
        let refused = asked.iter().filter(|entry| entry.is_forbidden() && !is_granted(entry));
        let refused: Vec<_> = refused.map(ToString::to_string).collect();
        assert_eq!(refused, [] as [String; 0], "refused to {service_account}");
    }
    Ok(())
}

#[tokio::test]
async fn everything_that_a_role_grants_was_used() -> Result<()> {
    let bed = Bed::standing()?;
    for (file, service_account) in PROGRAMS {
        let asked: Vec<_> = entries(bed.audit_log())?
            .into_iter()
            .filter(|it| it.is_from(service_account))
            .collect();
        let granted = grants(file, service_account).await?;
        ensure!(!granted.is_empty(), "{file} grants nothing to {service_account}");
        let unused = granted.iter().filter(|grant| {
            !asked.iter().any(|entry| !entry.is_forbidden() && grant.covers(entry))
        });
        let unused: Vec<_> = unused.map(ToString::to_string).collect();
        assert_eq!(unused, [] as [String; 0], "granted to {service_account} and never used");
    }
    Ok(())
}
