// SPDX-License-Identifier: Apache-2.0

// How programs talk to weftd: HTTP with JSON on a unix socket.
//
// `ControlService` is what the daemon can do, as a protocol that the node implements and tests
// fake; `ServiceError` is how it refuses. `ControlServer` puts a service on a socket: `SocketFile`
// takes care of the file, `ControlRoutes` of paths and methods, `RequestDecoder` of bodies.
// `ControlClient` is the other end, for the command-line tools; `ControlClientError` tells a daemon
// that is not there from one that refuses. `JSONForm` is the one encoder and decoder of both.
// `TextReport` renders reports for terminals, with `TextTable` for the columns.
//
// | method and path        | body            | answer              |
// |------------------------|-----------------|---------------------|
// | GET /status            |                 | `StatusReport`      |
// | GET /status/macs       |                 | `[MACReport]`       |
// | GET /attachments       |                 | `[AttachmentReport]`|
// | POST /attachments      | `AttachRequest` | `AttachmentReport`  |
// | DELETE /attachments    | `DetachRequest` | `[AttachmentReport]`|
// | POST /trace            | `TraceRequest`  | `TraceReport`       |
//
// Every other answer is an `ErrorReport`. The socket's mode is 0600: whoever may open it may do
// everything, and nobody else gets as far as a request.
