//! Segments made, changed and removed while events come in.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use regulars_core::SegmentName;
use regulars_pipeline::{PipelineError, SegmentDraft, SegmentEdit, Workspace};

use super::asked::{Named, Told};
use super::{Analyst, ask};
use crate::answer::Problem;
use crate::state::Server;

/// `PUT /api/v1/segments/{segment}`: answers when everyone who belongs to it is in it.
pub(crate) async fn define(
    _: Analyst,
    State(server): State<Arc<Server>>,
    Named(segment): Named<String>,
    Told(draft): Told<SegmentDraft>,
) -> Result<StatusCode, Problem> {
    change(&server, move |workspace| {
        SegmentEdit::define(workspace, &name(&segment)?, draft)
    })
    .await
}

/// `DELETE /api/v1/segments/{segment}`: answers when everyone has left it.
pub(crate) async fn remove(
    _: Analyst,
    State(server): State<Arc<Server>>,
    Named(segment): Named<String>,
) -> Result<StatusCode, Problem> {
    change(&server, move |workspace| {
        SegmentEdit::remove(workspace, &name(&segment)?)
    })
    .await
}

fn name(segment: &str) -> Result<SegmentName, PipelineError> {
    SegmentName::new(segment).map_err(|error| PipelineError::Segment {
        name: segment.to_owned(),
        message: error.to_string(),
    })
}

/// Checks a change, writes it, and has everyone looked at again.
async fn change(
    server: &Arc<Server>,
    edit: impl FnOnce(&Workspace) -> Result<SegmentEdit, PipelineError> + Send + 'static,
) -> Result<StatusCode, Problem> {
    let changed = ask(server, move |server| {
        let editing = &server.editing;
        let _one_at_a_time = editing.lock().unwrap_or_else(PoisonError::into_inner);
        let workspace = Workspace::find(server.live.workspace());
        let edit = match workspace.and_then(|workspace| edit(&workspace)) {
            Ok(edit) => edit,
            Err(error) => return Some(Err(error)),
        };
        let written = Arc::new(Mutex::new(Ok(())));
        let write = Arc::clone(&written);
        let lent = server.live.lend(move || {
            *write.lock().unwrap_or_else(PoisonError::into_inner) = edit.write();
        });
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        let written = std::mem::replace(&mut *written, Ok(()));
        lent.map(|lent| lent.and(written))
    });
    let changed = changed.await?;
    changed.map_err(|error| Problem::of_segment(&error))?;
    Ok(StatusCode::NO_CONTENT)
}
