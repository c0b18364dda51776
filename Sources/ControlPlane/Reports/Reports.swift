// SPDX-License-Identifier: Apache-2.0

// What weftd is asked and what it answers, as values that are also the JSON of its HTTP API.
//
// Requests: `AttachRequest` and `DetachRequest` name a container's network namespace and
// addresses, `TraceRequest` says which frames to follow; `validated()` turns them into values that
// need no further check, or throws one `RequestError` that says which field is wrong and what is
// accepted.
//
// Peers are named by `PeerTarget`; `ConnectRequest` and `ForgetRequest` hold the parameters of
// forms, as Weave has them.
//
// Answers: `AttachmentReport` (one container), `StatusReport` (the whole daemon: `UnderlayReport`,
// `WorkerReport`, `PortReport`, `EndpointReport`, `MACCountReport`, `BudgetReport`, `LossReport`,
// `FrameReport`, `DropReport`), `MACReport` (one learned address), `TraceReport` (the ways of
// frames), `ConnectionReport` (how a peer is reached), with it `SecurityReport` (how frames are
// encrypted), `MeshPeerReport` (who is connected with whom), `MeshSummaryReport` (the mesh's part
// of the status) and `ErrorReport`. `RouterReport` is the mesh in Weave's words, and its
// `OrderedJSON` Weave's report.
//
// Rules that hold for all but the last: keys are snake_case, addresses are text, counters are whole
// numbers since the daemon started, an absent value is a missing key, and nothing in a report can
// make an encoder fail (shares are clamped to 0…100, so that no NaN gets in).

/// A share in percent, between 0 and 100 with one decimal; what is not a number is 0.
func percentage(_ share: Double) -> Double {
  guard share.isFinite else { return 0 }
  return (min(max(share, 0), 100) * 10).rounded() / 10
}
